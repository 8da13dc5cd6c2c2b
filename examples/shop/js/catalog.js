/**
 * The articles of the shop. Prices are cents of EUR; names and texts are in both languages; pictures are drawn, not loaded.
 */

export const CATEGORIES = ["yarn", "fabric", "tools"];

export const PRODUCTS = [
  { id: "H-101", category: "yarn", price: 890, art: "ball", color: "#c8553d", es: ["Merino Granada", "Lana merina teñida a mano, 100 g. Suave, cálida y de un rojo que no se olvida."], en: ["Granada merino", "Hand-dyed merino wool, 100 g. Soft, warm, and a red that stays with you."] },
  { id: "H-102", category: "yarn", price: 760, art: "ball", color: "#3d7068", es: ["Algodón Albufera", "Algodón orgánico peinado, 100 g. Fresco para verano y para bebés."], en: ["Albufera cotton", "Combed organic cotton, 100 g. Cool for summer, gentle for babies."] },
  { id: "H-103", category: "yarn", price: 1240, art: "ball", color: "#d9a441", es: ["Alpaca Trigo", "Alpaca y seda, 50 g. Ligera como el aire, dorada como agosto."], en: ["Wheat alpaca", "Alpaca and silk, 50 g. Light as air, golden as August."] },
  { id: "H-201", category: "fabric", price: 1450, art: "cloth", color: "#5b6c9e", es: ["Lino Cala", "Lino lavado, 140 cm de ancho, por metro. Cae solo."], en: ["Cala linen", "Washed linen, 140 cm wide, per meter. It drapes by itself."] },
  { id: "H-202", category: "fabric", price: 1180, art: "cloth", color: "#b0654f", es: ["Popelina Teja", "Popelina de algodón, 150 cm, por metro. Firme y fácil de coser."], en: ["Terracotta poplin", "Cotton poplin, 150 cm, per meter. Crisp and easy to sew."] },
  { id: "H-203", category: "fabric", price: 1990, art: "cloth", color: "#46603f", es: ["Pana Olivo", "Pana de once rayas, 145 cm, por metro. Para abrigos con historia."], en: ["Olive corduroy", "Eleven-wale corduroy, 145 cm, per meter. For coats with a story."] },
  { id: "H-301", category: "tools", price: 650, art: "needles", color: "#8a5a34", es: ["Agujas de haya", "Par de agujas de 5 mm, lijadas a mano y enceradas."], en: ["Beech needles", "A pair of 5 mm needles, sanded by hand and waxed."] },
  { id: "H-302", category: "tools", price: 2350, art: "scissors", color: "#6b6f76", es: ["Tijeras de sastre", "Acero forjado, 21 cm. Cortan el lino como si fuera papel."], en: ["Tailor's shears", "Forged steel, 21 cm. They cut linen like paper."] },
  { id: "H-303", category: "tools", price: 480, art: "spool", color: "#7d4a6d", es: ["Hilo Ciruela", "Hilo de algodón encerado, 300 m. El que sujeta todo lo demás."], en: ["Plum thread", "Waxed cotton thread, 300 m. The one that holds everything else."] },
];

export const find = (id) => PRODUCTS.find((product) => product.id === id);

const SHAPES = {
  ball: (c) => `<circle cx="100" cy="104" r="58" fill="${c}"/><g fill="none" stroke="#fff" stroke-opacity=".38" stroke-width="3.2" stroke-linecap="round"><path d="M52 82c26-22 70-24 96 2M46 104c30-24 78-24 108 0M52 128c28-20 68-20 96 0"/><path d="M72 56c-20 34-18 66 6 98M100 47c-22 38-20 78 6 114M130 55c-16 34-14 68 4 98"/></g><path d="M140 146c20 14 34 10 44-4" fill="none" stroke="${c}" stroke-width="4" stroke-linecap="round"/>`,
  cloth: (c) => `<path d="M40 66q60-22 120 0v76q-60 22-120 0z" fill="${c}"/><path d="M40 84q60-22 120 0M40 104q60-22 120 0M40 124q60-22 120 0" fill="none" stroke="#fff" stroke-opacity=".28" stroke-width="3"/><path d="M160 66q-12 38 0 76l-18 5q-12-40 0-86z" fill="#000" fill-opacity=".14"/>`,
  needles: (c) => `<g stroke="${c}" stroke-width="8" stroke-linecap="round"><path d="M52 156 142 52"/><path d="M148 156 58 52"/></g><circle cx="142" cy="52" r="10" fill="${c}"/><circle cx="58" cy="52" r="10" fill="${c}"/><path d="M66 122q34-26 68 0" fill="none" stroke="#c8553d" stroke-width="6" stroke-linecap="round"/>`,
  scissors: (c) => `<g fill="none" stroke="${c}" stroke-width="9" stroke-linecap="round"><path d="M70 138 134 44"/><path d="M130 138 66 44"/></g><g fill="none" stroke="#2f2a26" stroke-width="9"><circle cx="60" cy="152" r="17"/><circle cx="140" cy="152" r="17"/></g><circle cx="100" cy="94" r="5" fill="#2f2a26"/>`,
  spool: (c) => `<rect x="58" y="46" width="84" height="16" rx="6" fill="#b98a5a"/><rect x="58" y="142" width="84" height="16" rx="6" fill="#b98a5a"/><rect x="68" y="62" width="64" height="80" fill="${c}"/><path d="M68 74h64M68 88h64M68 102h64M68 116h64M68 130h64" stroke="#fff" stroke-opacity=".32" stroke-width="3"/><path d="M132 130c26 4 36 18 30 36" fill="none" stroke="${c}" stroke-width="3"/>`,
};

/** The product's picture as SVG text; the shop's own drawing, so it may go into the page as markup. */
export function picture({ art, color }) {
  return `<svg viewBox="0 0 200 200" role="img" aria-hidden="true"><rect width="200" height="200" fill="${color}" fill-opacity=".13"/>${SHAPES[art](color)}</svg>`;
}
