/** The whole run in one process, so that server and browser are started once. */
import './expiring.ts'; // first: it begins what takes a minute and a half
import './tutorial.e2e.ts';
import './appearance.e2e.ts';
import './token.e2e.ts';
import './conversation.e2e.ts';
import './page.e2e.ts';
import './policy.e2e.ts';
import './samples.e2e.ts';
import './sdk.e2e.ts';
import './demo.e2e.ts';
import './expiry.e2e.ts';
