// A state at a place in the log, as a file.
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

// What a snapshot says of itself in its header.
struct snapshot_info {
    std::filesystem::path path;
    std::string name;                 // of the fold whose state it is
    std::uint32_t state_version = 0;  // of the form in which that fold stores its state
    log_point point{};                // the state is the one behind this
    log_digest digest{};              // of the log up to there
    std::uint64_t payload_bytes = 0;
    std::uint64_t created_ns = 0;  // since the Unix epoch
};

// Takes a state's bytes, in pieces, on their way into a snapshot.
class snapshot_sink {
  public:
    // Copies `bytes` into the file's buffer, and writes that when it is full. A failure is kept:
    // later calls return it again.
    [[nodiscard]] result<void> write(std::span<const std::byte> bytes);

    // A plain value's own bytes.
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

// A fold whose state can be stored and read back: what `load` makes of the bytes that `save` wrote
// is the same state. The bytes handed to `load` are whole and as they were written (checksum), and
// 64-byte aligned; those of another state_version never get there.
//
//     static constexpr std::uint32_t state_version = 1;
//     pawl::result<void> save(const state&, pawl::snapshot_sink& out) const;
//     pawl::result<state> load(std::span<const std::byte> bytes) const;
template <class Fold>
concept snapshots =
    folds_events<Fold> && requires(const Fold& fold, const typename Fold::state& state,
                                   snapshot_sink& out, std::span<const std::byte> bytes) {
        { Fold::state_version } -> std::convertible_to<std::uint32_t>;
        { fold.save(state, out) } -> std::same_as<result<void>>;
        { fold.load(bytes) } -> std::same_as<result<typename Fold::state>>;
    };

}  // namespace pawl
