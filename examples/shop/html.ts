/** HTML that is made of trusted parts: everything else in it is text. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | Html | readonly Html[]

/** A template whose other parts are text, or HTML made by this. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const filled = parts.map((part) => {
    if (typeof part === 'string') return escaped(part)
    return part instanceof Html ? part.text : part.map(({ text }) => text).join('')
  })
  return new Html(String.raw({ raw: strings }, ...filled))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string)
}
