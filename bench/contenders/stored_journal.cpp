#include "contenders/stored_journal.hpp"

#include "contenders/pawl_contenders.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pawl/journal/journal.hpp>

#include <cstring>
#include <span>
#include <utility>

namespace bench {
namespace {

// The headers come before the first frame.
constexpr std::size_t first_frame = 8192;
constexpr std::size_t page_bytes = 4096;
// Fits the largest frame here, and fits in the second-level cache.
constexpr std::size_t buffer_bytes = std::size_t{256} << 10;

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
    auto log = must(pawl::writer::open(directory, options), "open a journal");
    for (std::uint64_t i = 0; i < events; ++i) {
        if (!append(log, i)) {
            throw failure("pawl refused an append");
        }
    }
    const auto bytes = log.statistics().appended_bytes;
    must(log.close(), "close a journal");
    return {.directory = directory, .events = events, .bytes = bytes};
}

// One segment that the raw loop is reading.
class raw_reader::segment {
  public:
    // Reads into `buffer`, or through a mapping if `buffer` is empty.
    segment(const std::filesystem::path& path, std::uint64_t epoch, std::span<std::byte> buffer)
        : file_(mapping::open(path)), epoch_(epoch), buffer_(buffer) {
        if (buffer_.empty()) {
            madvise(file_.data(), file_.bytes(), MADV_SEQUENTIAL);
        } else {
            posix_fadvise(file_.descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
        }
    }

    // Reads up to `limit` more events; fewer if the segment ends.
    raw::read_totals read_on(std::uint64_t limit) {
        const auto totals =
            buffer_.empty() ? raw::read(file_.view(), epoch_, 0, offset_, limit) : read_by(limit);
        // After the end frame there is nothing, or not even space for a frame.
        const bool ended =
            totals.why == raw::stopped::at_zero_word || file_.bytes() - offset_ < raw::header_bytes;
        if (totals.events < limit && !ended) {
            throw failure("the raw read found a broken frame");
        }
        return totals;
    }

  private:
    raw::read_totals read_by(std::uint64_t limit) {
        raw::read_totals sum;
        while (true) {
            std::size_t done = offset_ - begin_;
            sum.add(raw::read(buffer_.first(filled_), epoch_, begin_, done, limit - sum.events));
            offset_ = begin_ + done;
            if (sum.why != raw::stopped::short_of_bytes || !refill()) {
                return sum;
            }
        }
    }

    // Reads on from the start of the reader's current page: the kernel copies whole pages to a page
    // boundary fastest. False at the end of the file.
    bool refill() {
        const std::size_t end = begin_ + filled_;
        begin_ = offset_ / page_bytes * page_bytes;
        const auto got =
            pread(file_.descriptor(), buffer_.data(), buffer_.size(), static_cast<off_t>(begin_));
        if (got < 0) {
            fail_errno("read a segment");
        }
        filled_ = static_cast<std::size_t>(got);
        return begin_ + filled_ > end;
    }

    mapping file_;
    std::uint64_t epoch_;
    std::size_t offset_ = first_frame;
    std::span<std::byte> buffer_;
    std::size_t begin_ = first_frame;  // of the buffer's contents, in the file
    std::size_t filled_ = 0;
};

raw_reader::raw_reader(const stored_journal& journal, by how) {
    if (how == by::reading) {
        buffer_.emplace(mapping::anonymous(buffer_bytes));
    }
    const auto buffer =
        buffer_ ? std::span<std::byte>(buffer_->data(), buffer_bytes) : std::span<std::byte>();
    for (const auto& one : segments_of(journal.directory)) {
        segments_.push_back(std::make_unique<segment>(segment_path(journal.directory, one.ordinal),
                                                      one.epoch, buffer));
    }
}

raw_reader::~raw_reader() = default;

raw::read_totals raw_reader::read_segment(std::size_t index) {
    return segments_.at(index)->read_on(~std::uint64_t{0});
}

raw::read_totals raw_reader::read_on(std::uint64_t limit) {
    raw::read_totals sum;
    while (sum.events < limit && at_ < segments_.size()) {
        sum.add(segments_[at_]->read_on(limit - sum.events));
        if (sum.events < limit) {
            ++at_;
        }
    }
    return sum;
}

}  // namespace bench
