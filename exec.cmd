@rem Lets npm scripts say `exec` on Windows, too, whose shell has no such command.
@%*
