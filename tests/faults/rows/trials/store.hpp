// A store of events, Pawl or another, as the trials use it: written, closed, damaged, read again.
#pragma once

#include "measure/payloads.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pawl::test {

struct tried_store {
    using visitor = std::function<void(std::span<const std::byte>)>;

    std::string name;
    // Bytes of a record before its payload: length, key, checksum.
    std::size_t header_bytes;
    // Appends the given number of events, and closes. After each batch, sets `there` to how many
    // were acknowledged. Throws the store's error.
    std::function<void(const std::filesystem::path&, std::uint64_t wanted, std::uint64_t& there)>
        write;
    // Opens it and reads all events in order. Throws the store's error.
    std::function<void(const std::filesystem::path&, const visitor&)> read;
};

// The events of every store: 64 bytes each, with 64 different contents in turn.
[[nodiscard]] const bench::payloads& tried_events();
// Pawl first, then the stores that the build has found.
[[nodiscard]] std::vector<tried_store> tried_stores();

}  // namespace pawl::test
