/** Where a visitor's recorder is: the folder of the script. */
export const home = document.currentScript.src.replace(/\/[^/]*$/, "");
