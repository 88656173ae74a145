// Stands in for a writer where only what is appended matters.
#pragma once

#include <pawl/codec/decode.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

struct recording_sink {
    pawl::event_header header{};
    std::vector<std::uint64_t> words{};
    std::size_t bytes = 0;
    std::uint64_t appended = 0;

    pawl::result<pawl::receipt> append(const pawl::event_header& with,
                                       std::span<const std::byte> payload) {
        header = with;
        words.assign((payload.size() + 7) / 8, 0);
        std::memcpy(words.data(), payload.data(), payload.size());
        bytes = payload.size();
        return pawl::receipt{.sequence = appended++};
    }

    [[nodiscard]] std::span<std::byte> payload() noexcept {
        return std::as_writable_bytes(std::span{words}).first(bytes);
    }
    [[nodiscard]] pawl::typed_payload last() noexcept {
        return {header.type, header.schema_version, payload()};
    }
};
