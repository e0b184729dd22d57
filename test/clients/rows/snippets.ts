export function trySnippets() { return Promise.resolve({ skipped: 'todo' }); }
