#pragma once

#include "contenders/question.hpp"
#include "measure/contest.hpp"
#include "measure/mapping.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

// A round appends as many events as fit a file of this size, for the floor as for Pawl's segment.
inline constexpr std::size_t round_bytes = std::size_t{32} << 20;
// Space that a segment needs for its headers and its end, and the floor does not.
inline constexpr std::size_t round_overhead = 16384;

// A round is divided into this many slices, so that one takes well under a millisecond and is
// seldom interrupted.
inline constexpr unsigned slices_a_round = 16;

// Returns the number of events of this load that a slice appends.
[[nodiscard]] std::uint64_t slice_events(const payloads& events);

// The raw loop over a new, populated file in `directory`.
[[nodiscard]] contender floor_append(const std::filesystem::path& directory,
                                     const context::load& load, int core);

// The raw loop paced by `rate`, with every append timed by itself.
[[nodiscard]] contender floor_paced(const std::filesystem::path& directory,
                                    const context::load& load, int core, double rate,
                                    std::uint64_t count);

// The same two loops over a series of files of `file_bytes`. A second thread prepares each file
// while the previous one fills, as every writer to new files through mappings must.
[[nodiscard]] contender floor_fresh(const std::filesystem::path& directory,
                                    const context::load& load, int core, std::size_t file_bytes,
                                    unsigned files);
[[nodiscard]] contender floor_fresh_paced(const std::filesystem::path& directory,
                                          const context::load& load, int core, double rate,
                                          std::uint64_t count, std::size_t file_bytes);

// State of the file's blocks before the first sync: ext4 must record in its own journal that an
// allocated block now holds data, but not for a block that was written before.
enum class blocks { allocated, written };

// Stores `per_sync` frames in a mapped file and syncs only them with msync, `syncs` times. The
// latency is the time from the first store of a group to the return of its sync.
[[nodiscard]] contender floor_durable(const std::filesystem::path& directory,
                                      const context::load& load, std::uint64_t per_sync,
                                      std::uint64_t syncs, blocks state,
                                      pages wanted = pages::usual);

inline constexpr guarantees floor_memory_guarantees{
    .survives_kill = true, .survives_power_loss = false, .checksummed = true};

}  // namespace bench
