#include "stored_journal.hpp"

#include "pawl_contenders.hpp"

#include <fmt/format.h>

#include <pawl/journal/journal.hpp>

#include <utility>

namespace bench {
namespace {

// Headers lie in front of the first frame.
constexpr std::size_t first_frame = 8192;

std::vector<pawl::segment_info> segments_of(const std::filesystem::path& directory) {
    return must(pawl::inspect(directory), "inspect a journal").segments;
}

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t ordinal) {
    return directory / fmt::format("{:010}.seg", ordinal);
}

}  // namespace

void stored_journal::drop_cache() const {
    for (const auto& one : segments_of(directory)) {
        mapping::open(segment_path(directory, one.ordinal)).drop_cache();
    }
}

stored_journal store_journal(const std::filesystem::path& directory, std::uint64_t events,
                             pawl::writer_options options,
                             const std::function<bool(pawl::writer&, std::uint64_t)>& append) {
    auto log = must(pawl::writer::open(directory, std::move(options)), "open a journal");
    for (std::uint64_t i = 0; i < events; ++i) {
        if (!append(log, i)) {
            throw failure("pawl refused an append");
        }
    }
    const auto bytes = log.statistics().appended_bytes;
    must(log.close(), "close a journal");
    return {.directory = directory, .events = events, .bytes = bytes};
}

raw_reader::raw_reader(const stored_journal& journal) : offset_(first_frame) {
    for (const auto& one : segments_of(journal.directory)) {
        segments_.push_back(
            {mapping::open(segment_path(journal.directory, one.ordinal)), one.epoch});
    }
}

raw::read_totals raw_reader::read_segment(std::size_t index) const {
    const auto& one = segments_.at(index);
    std::size_t offset = first_frame;
    const auto totals = raw::read(one.file.view(), one.epoch, offset, ~std::uint64_t{0});
    if (!totals.intact) {
        throw failure("the raw read found a broken frame");
    }
    return totals;
}

raw::read_totals raw_reader::read_on(std::uint64_t limit) {
    raw::read_totals sum;
    while (sum.events < limit && at_ < segments_.size()) {
        const auto& one = segments_[at_];
        const auto part = raw::read(one.file.view(), one.epoch, offset_, limit - sum.events);
        if (!part.intact) {
            throw failure("the raw read found a broken frame");
        }
        sum.events += part.events;
        sum.bytes += part.bytes;
        sum.digest += part.digest;
        if (sum.events < limit) {
            ++at_;
            offset_ = first_frame;
        }
    }
    return sum;
}

void raw_reader::rewind() noexcept {
    at_ = 0;
    offset_ = first_frame;
}

}  // namespace bench
