import { createServer } from 'node:http';

/** Takes what is exported to it by OTLP over HTTP, and forgets it. */
createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end());
}).listen(Number(process.argv[2]), '127.0.0.1');
