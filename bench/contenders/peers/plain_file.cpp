// A log without a library: a frame with a checksum, write(2), and fdatasync if requested.

#include "contenders/peers/peer.hpp"
#include "contenders/raw_log.hpp"
#include "measure/failure.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t epoch = 2;

class plain_file_peer final : public peer {
  public:
    plain_file_peer(const std::filesystem::path& directory, peer_sync sync)
        : sync_(sync == peer_sync::full), buffer_(buffer_bytes) {
        descriptor_ =
            open((directory / "events").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        struct stat status{};
        if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) {
            fail_errno("open a plain file");
        }
        offset_ = static_cast<std::size_t>(status.st_size);
    }
    ~plain_file_peer() override { close(descriptor_); }

    void append(const payloads& events, std::uint64_t first, std::uint64_t count) override {
        write_frames(events, first, count);
        if (sync_ && fdatasync(descriptor_) != 0) {
            fail_errno("fdatasync");
        }
        durable_ = sync_ ? first + count : 0;
    }

    std::uint64_t replay(const std::function<void(std::span<const std::byte>)>& visit) override {
        void* at = mmap(nullptr, offset_, PROT_READ, MAP_SHARED, descriptor_, 0);
        if (at == MAP_FAILED) {
            fail_errno("mmap a plain file");
        }
        const std::span file(static_cast<const std::byte*>(at), offset_);
        std::size_t offset = 0;
        std::uint64_t count = 0;
        bool intact = true;
        while (offset < file.size()) {
            const auto start = offset;
            if (raw::read(file, epoch, 0, offset, 1).events != 1) {
                intact = false;
                break;
            }
            std::uint64_t word = 0;
            std::memcpy(&word, file.data() + start, 8);
            visit(file.subspan(start + raw::header_bytes, (word & 0xffffff) - raw::header_bytes));
            ++count;
        }
        munmap(at, offset_);
        if (!intact) {
            throw failure("a plain file does not read back");
        }
        return count;
    }

    [[nodiscard]] std::string options() const override {
        return std::string(
                   "O_APPEND, Pawl's frame, one write for all frames of a batch, mapped for "
                   "reading") +
               (sync_ ? ", fdatasync" : "");
    }
    [[nodiscard]] guarantees keeps() const override {
        return {.survives_kill = true, .survives_power_loss = sync_, .checksummed = true};
    }

  private:
    static constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

    // Builds the frames side by side in a buffer that stays in the cache, and writes them together.
    void write_frames(const payloads& events, std::uint64_t first, std::uint64_t count) {
        std::size_t used = 0;
        for (std::uint64_t i = first; i < first + count; ++i) {
            const auto payload = events.at(i);
            const auto bytes = raw::padded(raw::header_bytes + payload.size());
            if (used + bytes > buffer_.size()) {
                write_out(used);
                used = 0;
            }
            auto* at = buffer_.data() + used;
            const auto word = raw::write_uncommitted(at, epoch, offset_ + used, i, durable_,
                                                     tick_scale::get().unix_ns(), payload, {});
            std::memcpy(at, &word, 8);
            used += bytes;
        }
        write_out(used);
    }

    void write_out(std::size_t bytes) {
        if (write(descriptor_, buffer_.data(), bytes) != static_cast<ssize_t>(bytes)) {
            fail_errno("write a plain file");
        }
        offset_ += bytes;
    }

    bool sync_;
    std::vector<std::byte> buffer_;
    int descriptor_ = -1;
    std::size_t offset_ = 0;
    std::uint64_t durable_ = 0;
};

}  // namespace

std::unique_ptr<peer> open_plain_file(const std::filesystem::path& directory, peer_sync sync) {
    return std::make_unique<plain_file_peer>(directory, sync);
}

}  // namespace bench
