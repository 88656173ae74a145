// A state at one point of the log, stored as a file.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/log_digest.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace pawl {

namespace detail {
class snapshot_file;
}

// The header of a snapshot.
struct snapshot_info {
    std::filesystem::path path;
    std::string name;                 // of the fold
    std::uint32_t state_version = 0;  // of the format in which the fold stores its state
    journal_identity journal{};       // that the log point was taken in
    log_point point{};                // the state includes every event before this point
    log_digest digest{};              // of the log up to that point
    std::uint64_t payload_bytes = 0;
    std::uint64_t created_ns = 0;  // since the Unix epoch
};

// Receives a state's bytes, in pieces, on their way into a snapshot.
class snapshot_sink {
  public:
    // Copies `bytes` into a buffer, and writes the buffer to the file when it is full. A failure is
    // sticky: later calls return it again.
    [[nodiscard]] result<void> write(std::span<const std::byte> bytes);

    // The bytes of a trivially copyable value.
    template <class Value>
        requires std::has_unique_object_representations_v<Value>
    [[nodiscard]] result<void> write_value(const Value& value) {
        return write(std::as_bytes(std::span{&value, 1}));
    }

  private:
    friend class snapshot_store;
    explicit snapshot_sink(detail::snapshot_file& file) noexcept : file_{&file} {}
    detail::snapshot_file* file_;
};

// A fold whose state can be stored and loaded: `load` restores the state from the bytes that `save`
// wrote. The bytes passed to `load` have a valid checksum and are 64-byte aligned; bytes of another
// state_version are never passed to it.
//
//     struct stored_account : account {
//         static constexpr std::uint32_t state_version = 1;
//         pawl::result<void> save(const state& s, pawl::snapshot_sink& out) const {
//             return out.write_value(s.balance);
//         }
//         pawl::result<state> load(std::span<const std::byte> bytes) const {
//             state s;
//             if (bytes.size() != sizeof s.balance) return pawl::fail(pawl::errc::malformed);
//             std::memcpy(&s.balance, bytes.data(), sizeof s.balance);
//             return s;
//         }
//     };
//     static_assert(pawl::snapshots<stored_account>);
template <class Fold>
concept snapshots =
    folds_events<Fold> && requires(const Fold& fold, const typename Fold::state& state,
                                   snapshot_sink& out, std::span<const std::byte> bytes) {
        { Fold::state_version } -> std::convertible_to<std::uint32_t>;
        { fold.save(state, out) } -> std::same_as<result<void>>;
        { fold.load(bytes) } -> std::same_as<result<typename Fold::state>>;
    };

}  // namespace pawl
