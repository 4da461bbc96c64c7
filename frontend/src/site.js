// SPDX-License-Identifier: MPL-2.0
import "./dkfds.js";
import "./htmx.js";
import "./form.js";
import "./desk.js";
