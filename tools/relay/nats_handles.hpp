// Owners of the NATS client's objects, and its failures as errors.
#pragma once

#include <fmt/format.h>
#include <nats/nats.h>

#include <pawl/journal/error.hpp>

#include <memory>
#include <string_view>

namespace pawl::relay {

template <auto Destroy>
struct destroy_with {
    template <class Object>
    void operator()(Object* object) const noexcept {
        Destroy(object);
    }
};
template <class Object, auto Destroy>
using nats_handle = std::unique_ptr<Object, destroy_with<Destroy>>;

using options_handle = nats_handle<natsOptions, natsOptions_Destroy>;
using connection_handle = nats_handle<natsConnection, natsConnection_Destroy>;
using context_handle = nats_handle<jsCtx, jsCtx_Destroy>;
using message_handle = nats_handle<natsMsg, natsMsg_Destroy>;
using stream_info_handle = nats_handle<jsStreamInfo, jsStreamInfo_Destroy>;
using subscription_handle = nats_handle<natsSubscription, natsSubscription_Destroy>;
using meta_data_handle = nats_handle<jsMsgMetaData, jsMsgMetaData_Destroy>;

// Whether trying again later is of no use: the account may not do it, or the cluster cannot.
[[nodiscard]] inline bool is_final(natsStatus status, jsErrCode code) noexcept {
    return status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED ||
           status == NATS_INVALID_ARG || status == NATS_INVALID_SUBJECT ||
           code == JSNotEnabledForAccountErr || code == JSStreamReplicasNotSupportedErr ||
           code == JSClusterNoPeersErr || code == JSStreamInvalidConfig ||
           code == JSStreamSubjectOverlapErr || code == JSStreamNameExistErr;
}

// `what` was attempted. invalid_argument for what no second attempt changes; else timed_out or io.
[[nodiscard]] inline error nats_failure(natsStatus status, std::string_view what,
                                        jsErrCode code = static_cast<jsErrCode>(0)) {
    errc kind = errc::io;
    if (is_final(status, code))
        kind = errc::invalid_argument;
    else if (status == NATS_TIMEOUT || status == NATS_NO_RESPONDERS)
        kind = errc::timed_out;
    natsStatus last = NATS_OK;
    const char* said = nats_GetLastError(&last);
    const bool more = said != nullptr && *said != '\0' && last == status;
    return error{.code = kind,
                 .detail = fmt::format("NATS: cannot {}: {}{}{}", what, natsStatus_GetText(status),
                                       more ? ": " : "", more ? said : "")};
}

}  // namespace pawl::relay
