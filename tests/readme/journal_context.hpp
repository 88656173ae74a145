#pragma once

#include "example_context.hpp"

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/status.hpp>
#include <pawl/journal/truncate.hpp>

#include <array>

namespace examples {

extern pawl::sequence_number billing_position;
extern std::uint64_t thirty_days_ago;
extern pawl::journal_id id_of_the_journal;

}  // namespace examples
