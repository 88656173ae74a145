#include "bank.hpp"

#include <cstring>

namespace bank {

// One record an account: number, balance, events, trail, the name's length, the name.
pawl::result<void> ledger::save(const state& s, pawl::snapshot_sink& out) {
    for (const auto& [number, of] : s.accounts) {
        const std::uint64_t fields[] = {number, static_cast<std::uint64_t>(of.balance), of.events,
                                        of.trail, of.name.size()};
        if (auto written = out.write(std::as_bytes(std::span{fields})); !written)
            return written;
        if (auto written = out.write(std::as_bytes(std::span{of.name})); !written)
            return written;
    }
    return {};
}

pawl::result<ledger::state> ledger::load(std::span<const std::byte> bytes) {
    state s;
    while (!bytes.empty()) {
        std::uint64_t fields[5];
        if (bytes.size() < sizeof fields)
            return pawl::fail(pawl::errc::malformed, "half an account");
        std::memcpy(fields, bytes.data(), sizeof fields);
        bytes = bytes.subspan(sizeof fields);
        if (bytes.size() < fields[4])
            return pawl::fail(pawl::errc::malformed, "half a name");
        account& of = s.accounts[fields[0]];
        of.balance = static_cast<std::int64_t>(fields[1]);
        of.events = fields[2];
        of.trail = fields[3];
        of.name.assign(reinterpret_cast<const char*>(bytes.data()), fields[4]);
        bytes = bytes.subspan(fields[4]);
    }
    return s;
}

}  // namespace bank
