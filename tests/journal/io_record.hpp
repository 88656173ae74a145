// Records the calls that a journal makes, and refuses some of them.
#pragma once

#include "os/io_hook.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace pawl::test {

struct io_call {
    detail::io_operation operation{};
    std::filesystem::path path{};
    std::filesystem::path target{};
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

// While one exists, every call of the journals in this process passes through it. Create it before
// opening them.
class io_record {
  public:
    using judge = std::function<int(const io_call& call)>;

    // `refuse` returns an errno for a call that must fail, else 0. It may change files.
    explicit io_record(judge refuse = {}) : refuse_{std::move(refuse)} {
        detail::set_io_hook(
            [](void* self, const detail::io_event& event) {
                return static_cast<io_record*>(self)->on_call(event);
            },
            this);
    }
    io_record(const io_record&) = delete;
    io_record& operator=(const io_record&) = delete;
    ~io_record() { detail::set_io_hook(nullptr, nullptr); }

    [[nodiscard]] std::vector<io_call> calls() const {
        const std::scoped_lock guard{mutex_};
        return calls_;
    }
    // The calls of one operation, on files with that name.
    [[nodiscard]] std::vector<io_call> calls(detail::io_operation operation,
                                             const std::string& name) const {
        auto some = calls();
        std::erase_if(some, [&](const io_call& call) {
            return call.operation != operation || call.path.filename() != name;
        });
        return some;
    }
    // The position of the first such call among all calls, or the number of calls if there is none.
    [[nodiscard]] std::size_t place_of(detail::io_operation operation, const std::string& name,
                                       std::size_t from = 0) const {
        const auto all = calls();
        std::size_t i = from;
        while (i < all.size() && (all[i].operation != operation || all[i].path.filename() != name))
            ++i;
        return i;
    }
    void forget() {
        const std::scoped_lock guard{mutex_};
        calls_.clear();
    }

  private:
    int on_call(const detail::io_event& event) {
        const io_call call{event.operation, event.path, event.target, event.offset, event.bytes};
        {
            const std::scoped_lock guard{mutex_};
            calls_.push_back(call);
        }
        return refuse_ ? refuse_(call) : 0;
    }

    judge refuse_;
    mutable std::mutex mutex_;
    std::vector<io_call> calls_;
};

}  // namespace pawl::test
