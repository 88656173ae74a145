// The events of events.fbs: `filled` is the zero-copy view, `filled_data` the plain struct that is
// filled in and then encoded.
#pragma once

#include <events_generated.h>
