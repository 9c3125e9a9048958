// Package browsertest drives the Hosted Link page in a headless Chromium. It
// owns what only a browser can show: layout, keyboard, accessibility, content
// security. What the page does is left to the tests of plaidsim itself.
//
// It needs Chromium, and skips loudly without it (with CI=true it fails). The
// accessibility rules need axe-core: `npm ci` in this folder, or AXE_JS with
// the path of axe.min.js. SCREENSHOT_DIR keeps a picture of every pane.
package browsertest
