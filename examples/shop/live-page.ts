/** Of a time, the day and the minute. */
export function shortTime(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}

/** The part of the page that hears of news: orders that are placed, by a stream; by a WebSocket orders that are worked, books that come and go, the report of the night. */
export function liveScript(): string {
  return `
    const shortTime = ${shortTime.toString()}
    const section = document.getElementById('live')
    const show = (id, text) => { document.getElementById(id).textContent = text }
    const rowOf = ({ id, title, placedAt, state }) => {
      const known = document.querySelector('[data-order="' + CSS.escape(id) + '"]')
      if (known !== null) return known
      const row = document.getElementById('orders').tBodies[0].insertRow(0)
      row.dataset.order = id
      for (const text of [title, shortTime(placedAt), state]) row.insertCell().textContent = text
      row.cells[2].className = 'state'
      return row
    }
    const news = {
      'Order Worked': (order) => {
        rowOf({ ...order, state: '' }).querySelector('.state').textContent = 'worked'
      },
      'Catalogue Changed': ({ books }) => show('catalogue', books + ' books in the catalogue'),
      'Night Reported': ({ placed, worked }) => show('night', 'Last night: ' + placed + ' orders wait, ' + worked + ' are worked'),
    }
    const socket = new WebSocket(section.dataset.url)
    socket.onopen = () => { section.dataset.state = 'open' }
    socket.onclose = () => { section.dataset.state = 'closed' }
    socket.onmessage = ({ data }) => {
      const { type, ...facts } = JSON.parse(data)
      news[type]?.(facts)
    }
    if (section.dataset.streams !== '') {
      const orders = new EventSource(new URL('live', section.dataset.streams))
      orders.onopen = () => { section.dataset.orders = 'open' }
      orders.addEventListener('order', ({ data }) => {
        const order = JSON.parse(data)
        rowOf(order)
        show('placed', 'Just ordered: ' + order.title)
      })
    }
  `
}
