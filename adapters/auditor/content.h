/// What a body or a message says, as JSON with the names of the schemas.
#pragma once

#include <nlohmann/json.hpp>

#include "broker/core/bytes.h"
#include "broker/core/clock.h"
#include "envelope_generated.h"
#include "load_generated.h"

namespace flagpost::auditor {

/// What an envelope carries, by its kind. Throws std::runtime_error for bytes that are not that.
nlohmann::ordered_json content_of(schemas::Kind kind, BytesView payload);

/// A record of a load. Throws likewise.
nlohmann::ordered_json content_of(schemas::LoadOf of, BytesView item);

/// One field a line, those of a table within it indented.
std::string in_lines(const nlohmann::ordered_json& content, std::size_t indent = 2);

}  // namespace flagpost::auditor
