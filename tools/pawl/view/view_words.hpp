// The names of a journal's types and streams, while a follower adds those that it meets.
#pragma once

#include "events/journal_words.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>

#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace pawl::cli {

class view_words {
  public:
    explicit view_words(journal_words words) : words_{std::move(words)} {}

    // Calls use(const journal_words&), which must not keep a reference to it.
    template <class Use>
    auto with(Use&& use) const {
        const std::shared_lock lock{guard_};
        return use(words_);
    }

    void add(const recorded_name& name) {
        const std::unique_lock lock{guard_};
        words_.add(name);
    }
    void replace(journal_words words) {
        const std::unique_lock lock{guard_};
        words_ = std::move(words);
    }

  private:
    mutable std::shared_mutex guard_;
    journal_words words_;
};

}  // namespace pawl::cli
