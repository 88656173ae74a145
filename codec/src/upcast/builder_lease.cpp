#include <pthread.h>

#include <pawl/codec/upcast.hpp>

#include <cassert>
#include <memory>
#include <new>
#include <vector>

namespace pawl::detail {

namespace {

// As many builders as steps were ever nested on this thread, the outermost first.
struct builder_stack {
    std::vector<std::unique_ptr<flatbuffers::FlatBufferBuilder>> builders;
    std::size_t leased = 0;
};

// Not an object with a destructor: the C++ runtime ends the program if memory runs out while it
// registers one.
thread_local builder_stack* stack = nullptr;

void end_thread(void* owned) noexcept {
    delete static_cast<builder_stack*>(owned);
    stack = nullptr;
}

// Returns whether the thread's end will delete the stack.
[[nodiscard]] bool delete_at_end(builder_stack* owned) noexcept {
    struct thread_end {
        pthread_key_t key{};
        bool made = ::pthread_key_create(&key, end_thread) == 0;
    };
    static const thread_end end;
    return end.made && ::pthread_setspecific(end.key, owned) == 0;
}

[[nodiscard]] builder_stack& stack_of_thread() {
    if (stack == nullptr) [[unlikely]] {
        auto made = std::make_unique<builder_stack>();
        if (!delete_at_end(made.get()))
            throw std::bad_alloc{};
        stack = made.release();
    }
    return *stack;
}

}  // namespace

builder_lease::builder_lease() {
    builder_stack& of = stack_of_thread();
    if (of.leased == of.builders.size()) [[unlikely]]
        of.builders.push_back(std::make_unique<flatbuffers::FlatBufferBuilder>());
    builder_ = of.builders[of.leased++].get();
}

builder_lease::~builder_lease() {
    assert(stack->leased != 0 && stack->builders[stack->leased - 1].get() == builder_);
    --stack->leased;
}

}  // namespace pawl::detail
