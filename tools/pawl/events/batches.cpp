#include "events/batches.hpp"

#include <fmt/format.h>

#include <utility>

namespace pawl::cli {

namespace {

// Reading so many events costs about as much as opening a cursor.
constexpr std::uint64_t events_to_pass = 1000;

}  // namespace

result<bool> batches::are_together(sequence_number first, sequence_number later) {
    if (later == first + 1)
        return true;
    if (first < begin_ || first > last_)
        if (auto found = find_end(first); !found)
            return std::unexpected(std::move(found.error()));
    return later <= last_;
}

result<void> batches::find_end(sequence_number of) {
    if (!events_ || events_->next_sequence() > of ||
        of - events_->next_sequence() > events_to_pass) {
        auto opened = cursor::open(
            directory_, {.from = from_sequence{of}, .allow_network_file_system = allow_network_});
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        events_.emplace(std::move(*opened));
    }
    while (const event* e = events_->next())
        if (e->sequence() >= of && !e->more_in_batch()) {
            begin_ = of;
            last_ = e->sequence();
            return {};
        }
    if (auto end = events_->finish(); !end)
        return std::unexpected(std::move(end.error()));
    return fail(errc::damaged, fmt::format("the batch of sequence {} does not end", of));
}

}  // namespace pawl::cli
