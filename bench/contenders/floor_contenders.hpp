#pragma once

#include "contenders/question.hpp"
#include "measure/contest.hpp"
#include "measure/mapping.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

// Events of a round are as many as fit a file of this size, for the floor as for Pawl's segment.
inline constexpr std::size_t round_bytes = std::size_t{32} << 20;
// What a segment keeps for its headers and its end, and the floor does without.
inline constexpr std::size_t round_overhead = 16384;

// A round's events are appended in so many slices, so that one takes well under a millisecond and
// is seldom interrupted.
inline constexpr unsigned slices_a_round = 16;

// How many events of this load a slice appends.
[[nodiscard]] std::uint64_t slice_events(const payloads& events);

// The raw loop over a new, populated file in `directory`.
[[nodiscard]] contender floor_append(const std::filesystem::path& directory,
                                     const context::load& load, int core);

// The raw loop with every append timed by itself, paced by `rate`.
[[nodiscard]] contender floor_paced(const std::filesystem::path& directory,
                                    const context::load& load, int core, double rate,
                                    std::uint64_t count);

// Both over one file after the other of `file_bytes`, each made ready by a second thread while the
// one before it fills, as whoever writes to new files through mappings has to have it done.
[[nodiscard]] contender floor_fresh(const std::filesystem::path& directory,
                                    const context::load& load, int core, std::size_t file_bytes,
                                    unsigned files);
[[nodiscard]] contender floor_fresh_paced(const std::filesystem::path& directory,
                                          const context::load& load, int core, double rate,
                                          std::uint64_t count, std::size_t file_bytes);

// What a file system has to do for a block's first sync: ext4 notes in its own journal that an
// allocated block holds data now, which it need not where something was written there before.
enum class blocks { allocated, written };

// `per_sync` frames stored in a mapped file, then msync of just them, `syncs` times over. The
// latency is that from the first store of a group to the return of its sync.
[[nodiscard]] contender floor_durable(const std::filesystem::path& directory,
                                      const context::load& load, std::uint64_t per_sync,
                                      std::uint64_t syncs, blocks state,
                                      pages wanted = pages::usual);

inline constexpr guarantees floor_memory_guarantees{
    .survives_kill = true, .survives_power_loss = false, .checksummed = true};

}  // namespace bench
