#pragma once

#include "example_context.hpp"

#include <pawl/journal/journal.hpp>
