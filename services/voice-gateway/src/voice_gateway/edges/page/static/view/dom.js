// How is an element made? With text as text: nothing that comes from the network is read as HTML.

/** An element with a class, attributes and children (elements or strings). */
export function make(name, className = "", attributes = {}, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** The element of this id. */
export const byId = (id) => document.getElementById(id);
