// What the page of `pawl view` asks for: each function answers one address with an object of JSON.
//
// Numbers of 64 bits, such as sequences, streams, hashes and nanoseconds, are strings: JavaScript
// rounds those above 2^53.
#pragma once

#include "view/log_follower.hpp"
#include "view/log_map.hpp"
#include "view/page_server.hpp"
#include "view/segment_check.hpp"
#include "view/view_words.hpp"

#include <pawl/journal/error.hpp>

#include <filesystem>
#include <memory>

namespace pawl::cli {

class journal_page {
  public:
    // Reads the names of types and streams. Fails like inspect, and as those cannot be read.
    [[nodiscard]] static result<std::unique_ptr<journal_page>> open(
        const std::filesystem::path& directory, bool allow_network_file_system);

    // `server` must not outlive it.
    void add_to(page_server& server);
    // Until the whole log is mapped, but only for so long.
    void wait_for_map(std::chrono::milliseconds most) const;

  private:
    journal_page(const std::filesystem::path& directory, bool allow_network_file_system,
                 journal_words words)
        : map_{directory, allow_network_file_system}, words_{std::move(words)} {}

    [[nodiscard]] result<page_answer> live(const page_parameters& asked) const;
    [[nodiscard]] result<page_answer> segments(const page_parameters& asked) const;
    [[nodiscard]] result<page_answer> check(const page_parameters& asked);
    [[nodiscard]] result<page_answer> density(const page_parameters& asked) const;
    [[nodiscard]] result<page_answer> events(const page_parameters& asked) const;
    [[nodiscard]] result<page_answer> one_event(const page_parameters& asked) const;
    [[nodiscard]] result<page_answer> query(const page_parameters& asked) const;

    log_map map_;
    view_words words_;
    segment_check check_{map_};
    std::unique_ptr<log_follower> follower_;  // the last: its thread uses the map and the words
};

}  // namespace pawl::cli
