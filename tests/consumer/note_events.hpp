// The program's one event type.
#pragma once

#include <note_generated.h>

#include <pawl/codec/event_type.hpp>

#include <cstdint>

template <>
struct pawl::event_traits<consumer::note> {
    static constexpr std::uint16_t type = 1;
    static constexpr std::uint16_t schema_version = 1;
};
