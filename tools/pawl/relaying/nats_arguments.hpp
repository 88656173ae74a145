// The arguments of the commands that use a stream, as the relay's options.
#pragma once

#include "commands/commands.hpp"
#include "terminal/output.hpp"

#include <relay/nats_stream.hpp>

#include <string>

namespace pawl::cli {

[[nodiscard]] inline relay::nats_options nats_options_of(const stream_arguments& from) {
    return {.servers = from.servers, .stream = from.stream, .credentials = from.credentials};
}

// A failure after which a command tries again: one line, unless it is the same as the last.
class retry_notice {
  public:
    void operator()(const error& why) {
        std::string line = "trying again: " + why.message();
        if (line != last_)
            complain(line);
        last_ = std::move(line);
    }

  private:
    std::string last_;
};

}  // namespace pawl::cli
