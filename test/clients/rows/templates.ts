export function tryTemplates() { return Promise.resolve({ skipped: 'todo' }); }
