#include <pthread.h>

#include <pawl/codec/upcast.hpp>

#include <memory>
#include <new>

namespace pawl::detail {

namespace {

using place = builder_lease::place;

// The place of the innermost lease, or the first place, whose builder is never lent. Not an object
// with a destructor: the C++ runtime ends the program if memory runs out while it registers one.
thread_local place* current = nullptr;

// Every lease has ended: `first` is the first place.
void end_thread(void* first) noexcept {
    delete static_cast<place*>(first);
    current = nullptr;
}

// Returns whether the thread's end will delete the places.
[[nodiscard]] bool delete_at_end(place* first) noexcept {
    struct thread_end {
        pthread_key_t key{};
        bool made = ::pthread_key_create(&key, end_thread) == 0;
    };
    static const thread_end end;
    return end.made && ::pthread_setspecific(end.key, first) == 0;
}

// Makes the place inside `outer`, and the first one if there is none.
[[gnu::cold, gnu::noinline]] place& add_place(place* outer) {
    if (outer == nullptr) {
        auto first = std::make_unique<place>();
        if (!delete_at_end(first.get()))
            throw std::bad_alloc{};
        outer = current = first.release();
    }
    outer->inner = std::make_unique<place>();
    outer->inner->outer = outer;
    outer->inner->current = &current;
    return *outer->inner;
}

}  // namespace

builder_lease::place& builder_lease::enter() {
    place* const outer = current;
    const bool known = outer != nullptr && outer->inner != nullptr;
    place& mine = known ? *outer->inner : add_place(outer);
    current = &mine;
    return mine;
}

}  // namespace pawl::detail
