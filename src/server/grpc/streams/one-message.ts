/** Makes what gives one message to who writes those that are there: it returns the message, and undefined from then on. */
export function oneMessage<Message>(message: Message): () => Message | undefined {
  let rest: Message | undefined = message;
  return () => {
    const next = rest;
    rest = undefined;
    return next;
  };
}
