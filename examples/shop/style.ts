/** How the page looks, on a phone as well. */
export const style = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 46rem; padding: 0 1rem; overflow-wrap: anywhere; }
  table { border-collapse: collapse; width: 100%; }
  td, th { border-bottom: 1px solid #ddd; padding: 0.3rem; text-align: left; vertical-align: top; }
  nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; }
  nav a { padding: 0.6rem 0; }
  form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; }
  input, button { font: inherit; min-height: 2.75rem; max-width: 100%; box-sizing: border-box; }
  .message { background: #e8f4e8; padding: 0.5rem 1rem; }
  .state { white-space: nowrap; }
`
