/**
 * Every word of the shop in Spanish and English, and the choice of the language.
 */

const WORDS = {
  es: {
    tagline: "Lana, tela y todo lo que las une", shop: "Tienda", cart: "Cesta", contact: "Contacto", account: "Cuenta", all: "Todo", yarn: "Lanas", fabric: "Telas", tools: "Mercería",
    heroTitle: "Cosas que duran, hechas con tus manos.", heroText: "Hilos y telas de talleres pequeños, elegidos uno a uno. Empieza hoy; lo llevarás años.", heroButton: "Ver la tienda", favorites: "Lo que más gusta", related: "Del mismo estante", freeShipping: "Envío gratis desde 40 €", returns: "Devolución en 30 días", advice: "Consejo de quien cose",
    add: "Añadir a la cesta", added: "En la cesta", quantity: "Cantidad", remove: "Quitar", empty: "Tu cesta está vacía.", emptyText: "Todavía. Las lanas están al fondo a la izquierda.", goShop: "Ir a la tienda", subtotal: "Subtotal", shipping: "Envío", free: "Gratis", total: "Total", checkout: "Tramitar pedido", keep: "Seguir comprando", back: "Volver",
    checkoutTitle: "Tu pedido", delivery: "Entrega", name: "Nombre", email: "Correo electrónico", address: "Dirección", city: "Ciudad", payment: "Pago", card: "Número de tarjeta", expiry: "Caducidad", expiryForm: "MM/AA", pay: "Pagar", orderDone: "Pedido recibido", thanks: "¡Gracias!", thanksText: "Tu pedido está en camino al taller. Número:", giveBack: "Devolver el pedido", givenBack: "Hemos anotado la devolución.", demo: "Es una tienda de ejemplo: no se cobra ni se envía nada.",
    contactTitle: "Escríbenos", contactText: "¿Dudas con un patrón, una talla, un punto? Respondemos en un día.", message: "Mensaje", send: "Enviar", sent: "Recibido. Te escribimos pronto.", topic: "Asunto", topics: ["Un pedido", "Un producto", "Otra cosa"],
    newsletterTitle: "Una carta al mes", newsletterText: "Sí, escribidme una vez al mes sobre novedades de la tienda. Puedo dejarlo cuando quiera.", subscribe: "Apuntarme", newsletterPending: "Te hemos escrito: confírmalo con el enlace del mensaje.", newsletterDone: "Ya estás en la lista.", newsletterFailed: "No se pudo apuntar. ¿Hay red?",
    accountTitle: "Mi cuenta", signIn: "Entrar", signOut: "Salir", signedIn: "Has entrado como", accountText: "Con tu cuenta, lo que pongas en la cesta te espera en cualquier dispositivo.", password: "Contraseña", missingTitle: "Producto no encontrado", missing: "Este producto ya no está.", notFoundTitle: "Página no encontrada", notFound: "Aquí no hay nada, ni un hilo.",
    privacy: "Privacidad", required: "Falta este dato.", search: "Buscar",
    devices: "Dos móviles", devicesTitle: "Una cesta, dos móviles.", devicesText: "La misma persona en dos móviles. Toca un artículo en uno y mira el otro. Luego corta la red, cambia cosas en los dos, y devuélvela.", phoneOne: "Móvil 1", phoneTwo: "Móvil 2", network: "red", cut: "Cortar la red", restore: "Devolver la red", together: "Las dos cestas son una.", same: "Muestran lo mismo.", apart: "Cada móvil va por su lado …", offline: "Sin red", sending: "Enviando …", insync: "Al día", waiting: (n) => (n === 1 ? "1 cambio espera" : `${n} cambios esperan`), more: "Uno más", fewer: "Uno menos", signInFailed: "No se pudo entrar. ¿Hay red?",
    live: {
      open: "En vivo", shop: "A la tienda", title: "Puntos de contacto en vivo", clear: "Vaciar", token: "Token", connecting: "Conectando …", watching: "Mirando", nothing: "Aún nada: abre la tienda, acepta el aviso y pulsa por ahí.", wrongToken: "El token no vale. En la máquina de quien desarrolla es dev-admin.", lost: (why, seconds) => `Sin conexión (${why}). ¿Está en marcha \`cargo xtask dev\`? Otro intento en ${seconds} s.`, ended: "el flujo terminó", missed: (n) => `Faltan aquí ${n} puntos de contacto: llegaron más deprisa de lo que se leían.`,
      channel: "canal", session: "sesión", destinations: "va a", page: "página", code: "motivo", device: "aparato", user: "persona", properties: "datos",
      outcomes: { accepted: "aceptado", duplicate: "repetido", rejected: "rechazado", dropped: "descartado" },
      meanings: { duplicate: "Llegó dos veces y cuenta una.", rejected: "El evento tiene un error.", dropped: "Falta el consentimiento, o una regla lo descarta." },
    },
    footer: "Hebra es la tienda de ejemplo del proyecto hilo: no se cobra ni se envía nada.",
  },
  en: {
    tagline: "Yarn, fabric, and all that joins them", shop: "Shop", cart: "Cart", contact: "Contact", account: "Account", all: "All", yarn: "Yarn", fabric: "Fabric", tools: "Haberdashery",
    heroTitle: "Things that last, made by your hands.", heroText: "Threads and fabrics from small workshops, chosen one by one. Begin today; wear it for years.", heroButton: "See the shop", favorites: "Loved most", related: "From the same shelf", freeShipping: "Free shipping from €40", returns: "Returns within 30 days", advice: "Advice from people who sew",
    add: "Add to cart", added: "In the cart", quantity: "Quantity", remove: "Remove", empty: "Your cart is empty.", emptyText: "For now. The yarn is at the back, on the left.", goShop: "Go to the shop", subtotal: "Subtotal", shipping: "Shipping", free: "Free", total: "Total", checkout: "Check out", keep: "Keep shopping", back: "Back",
    checkoutTitle: "Your order", delivery: "Delivery", name: "Name", email: "E-mail", address: "Address", city: "City", payment: "Payment", card: "Card number", expiry: "Expiry", expiryForm: "MM/YY", pay: "Pay", orderDone: "Order received", thanks: "Thank you!", thanksText: "Your order is on its way to the workshop. Number:", giveBack: "Return the order", givenBack: "We have noted the return.", demo: "This is an example shop: nothing is charged and nothing is sent.",
    contactTitle: "Write to us", contactText: "A pattern, a size, a stitch? We answer within a day.", message: "Message", send: "Send", sent: "Received. We will write soon.", topic: "Topic", topics: ["An order", "A product", "Something else"],
    newsletterTitle: "A letter a month", newsletterText: "Yes, write to me once a month about what is new in the shop. I can stop it at any time.", subscribe: "Sign me up", newsletterPending: "We have written to you: confirm with the link in the message.", newsletterDone: "You are on the list.", newsletterFailed: "Signing up failed. Is there a network?",
    accountTitle: "Your account", signIn: "Sign in", signOut: "Sign out", signedIn: "Signed in as", accountText: "With your account, what you put in the cart waits for you on every device.", password: "Password", missingTitle: "Product not found", missing: "This product is gone.", notFoundTitle: "Page not found", notFound: "There is nothing here, not even a thread.",
    privacy: "Privacy", required: "This is missing.", search: "Search",
    devices: "Two phones", devicesTitle: "One cart, two phones.", devicesText: "The same person on two phones. Tap an article on one and watch the other. Then cut the network, change things on both, and give it back.", phoneOne: "Phone 1", phoneTwo: "Phone 2", network: "network", cut: "Cut the network", restore: "Give it back", together: "Both carts are one.", same: "They show the same.", apart: "Each phone goes its own way …", offline: "Offline", sending: "Sending …", insync: "Up to date", waiting: (n) => (n === 1 ? "1 change waits" : `${n} changes wait`), more: "One more", fewer: "One fewer", signInFailed: "Signing in failed. Is there a network?",
    live: {
      open: "Live", shop: "To the shop", title: "Live touchpoints", clear: "Clear", token: "Token", connecting: "Connecting …", watching: "Watching", nothing: "Nothing yet: open the shop, accept the banner and click around.", wrongToken: "The token is wrong. On a developer's machine it is dev-admin.", lost: (why, seconds) => `No connection (${why}). Is \`cargo xtask dev\` running? Trying again in ${seconds} s.`, ended: "the stream ended", missed: (n) => `${n} touchpoints are missing here: they came faster than they were read.`,
      channel: "channel", session: "session", destinations: "sent to", page: "page", code: "code", device: "device", user: "user", properties: "properties",
      outcomes: { accepted: "accepted", duplicate: "duplicate", rejected: "rejected", dropped: "dropped" },
      meanings: { duplicate: "It came twice and counts once.", rejected: "The event has an error.", dropped: "Consent is missing, or a rule drops it." },
    },
    footer: "Hebra is the example shop of the hilo project: nothing is charged and nothing is sent.",
  },
};

/**
 * The language in the address comes first, so that a link can choose it. Then the first of the visitor's languages that the shop has;
 * else English, the language that most visitors read besides their own. Nothing is stored.
 */
const parameter = new URLSearchParams(location.search).get("lang");
const asked = Object.hasOwn(WORDS, parameter) ? parameter : null;
const own = navigator.languages.map((language) => language.slice(0, 2).toLowerCase());
export const lang = asked ?? own.find((language) => Object.hasOwn(WORDS, language)) ?? "en";
export const t = WORDS[lang];

const money = new Intl.NumberFormat(lang === "es" ? "es-ES" : "en-IE", { style: "currency", currency: "EUR" });
export const price = (cents) => money.format(cents / 100);

/** A link inside the shop that keeps a language that was asked for. */
export function link(path) {
  if (!asked) return path;
  return path + (path.includes("?") ? "&" : "?") + "lang=" + lang;
}
