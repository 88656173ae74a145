// A fold's state in snapshots as one FlatBuffers table, instead of bytes written by hand.
//
//     struct kept : described {
//         static pawl::result<void> save(const state& s, pawl::snapshot_sink& out) {
//             return pawl::save_table(out, [&](auto& b) { return Createledger_rows(b, rows(b, s)); });
//         }
//         static pawl::result<state> load(std::span<const std::byte> bytes) {
//             auto table = pawl::load_table<ledger_rows>(bytes);
//             if (!table) return std::unexpected(table.error());
//             return state_of(**table);
//         }
//     };
//
// A field that is added to the table needs no new state_version: an older snapshot has its default
// value, if that is right for it. The state must fit into a table: it has less than 2 GiB, and is
// copied once more in memory while it is saved.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace pawl {

// Calls build(FlatBufferBuilder&), which returns the offset of the table, and writes that. Fails
// like snapshot_sink::write, and with out_of_memory.
template <class Build>
[[nodiscard]] result<void> save_table(snapshot_sink& out, const Build& build) {
    return detail::guarded([&]() -> result<void> {
        flatbuffers::FlatBufferBuilder builder;
        builder.Finish(build(builder));
        return out.write(std::as_bytes(std::span{builder.GetBufferPointer(), builder.GetSize()}));
    });
}

// The table, verified as a whole, in the bytes themselves. Fails with malformed if they are not
// such a table, so that restore passes over the snapshot.
template <class Table>
[[nodiscard]] result<const Table*> load_table(std::span<const std::byte> bytes) noexcept {
    constexpr std::size_t deepest = 64;
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE)
        return fail(errc::too_large);
    // A state may have as many tables as fit into its bytes.
    flatbuffers::Verifier verifier{first, bytes.size(), deepest,
                                   static_cast<flatbuffers::uoffset_t>(bytes.size())};
    if (!verifier.VerifyBuffer<Table>(nullptr))
        return fail(errc::malformed);
    return flatbuffers::GetRoot<Table>(first);
}

}  // namespace pawl
