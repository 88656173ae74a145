// What every example may use without introducing it. Nothing is defined: examples are compiled
// only.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace examples {

// What an example returns is up to the function that a reader puts it into.
struct anything {
    anything() = default;
    template <class T>
    anything(const T&) {}
};

template <class... T>
void use(const T&...);

extern pawl::writer& log;
extern const pawl::event* event;
extern std::span<const std::byte> bytes;

}  // namespace examples
