// Runs before anything is painted, so that the page does not change its colours in front of its reader.
{
  /** @returns {string} what was chosen last; `auto` where nothing was, or where nothing can be kept */
  const chosen = () => {
    try {
      return localStorage.getItem('understudy-theme') ?? 'auto';
    } catch {
      return 'auto';
    }
  };
  document.documentElement.dataset['theme'] = chosen();
}
