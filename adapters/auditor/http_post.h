/// One bounded HTTP POST, to a server nobody here trusts.
#pragma once

#include <optional>
#include <string>

#include "adapters/auditor/carry.h"

namespace flagpost::auditor {

/// url      http:// or https:// with host, optional port and path; the certificate of https is checked
/// returns  status and body; nothing if there was no whole answer within a minute and limits::note_size_max bytes
/// throws   std::runtime_error if it is no such URL
std::optional<HttpAnswer> http_post(const std::string& url, const std::string& body);

}  // namespace flagpost::auditor
