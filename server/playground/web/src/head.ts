// Runs before anything is drawn, so that a dark page is never light first.

import { apply } from './colours';

apply();
