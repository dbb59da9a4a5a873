#include "adapters/auditor/content.h"

#include <flatbuffers/idl.h>

#include "adapters/auditor/printable.h"
#include "adapters/auditor/replay.h"
#include "broker/wire/frames.h"
#include "flag_generated.h"
#include "incident_generated.h"
#include "notice_generated.h"
#include "schema_text.h"
#include "school_generated.h"
#include "staff_generated.h"

namespace flagpost::auditor {
namespace {

using Json = nlohmann::ordered_json;

std::unique_ptr<flatbuffers::Parser> make_parser() {
    flatbuffers::IDLOptions options;
    options.strict_json = true;
    options.output_enum_identifiers = true;
    options.output_default_scalars_in_json =
        true;  // a child protection plan is the first of its kinds, and "no" a value
    auto parser = std::make_unique<flatbuffers::Parser>(options);
    if (!parser->Parse(schema_text)) throw std::logic_error{"the schemas compiled in: " + parser->error_};
    return parser;
}

/// Ids and digests are vectors of bytes: one text of hexadecimal digits says more than a list of numbers.
void bytes_as_hex(Json& json) {
    if (json.is_object())
        for (auto& [name, value] : json.items()) bytes_as_hex(value);
    if (!json.is_array() || json.empty()) return;
    Bytes bytes;
    for (auto& value : json) {
        bytes_as_hex(value);
        if (value.is_number_unsigned() && value.get<std::uint64_t>() < 256)
            bytes.push_back(value.get<std::uint8_t>());
    }
    if (bytes.size() == json.size()) json = to_hex(bytes);
}

/// Moments as people read them: "occurred": "2026-11-01T21:10:00Z" for "occurred_us". What was not given is left out.
void moments_as_text(Json& json) {
    static constexpr std::string_view in_us = "_us";
    if (json.is_array())
        for (auto& value : json) moments_as_text(value);
    if (!json.is_object()) return;
    Json readable = Json::object();
    for (auto& [name, value] : json.items()) {
        moments_as_text(value);
        if (value.is_null()) continue;
        if (!name.ends_with(in_us) || !value.is_number_integer())
            readable[name] = std::move(value);
        else if (const auto at = value.get<std::int64_t>(); at != 0)
            readable[name.substr(0, name.size() - in_us.size())] = time_text(from_us(at));
    }
    json = std::move(readable);
}

template <class Table> Json content_as(const char* name, BytesView bytes) {
    if (const auto table = wire::read_table<Table>(bytes, name); !table)
        throw std::runtime_error{std::string{name} + ": its bytes are damaged"};
    thread_local const auto parser = make_parser();
    parser->SetRootType(("flagpost.schemas." + std::string{name}).c_str());
    std::string text;
    if (!flatbuffers::GenerateText(*parser, bytes.data(), &text))
        throw std::runtime_error{std::string{name} + ": cannot be shown as text"};
    auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) throw std::runtime_error{std::string{name} + ": cannot be shown as text"};
    bytes_as_hex(json);
    moments_as_text(json);
    return json;
}

void add_lines(std::string& out, const Json& json, std::size_t indent) {
    const std::string margin(indent, ' ');
    const auto add = [&](const std::string& name, const Json& value) {
        out += margin + name;
        if (value.is_structured()) {
            out += "\n";
            add_lines(out, value, indent + 2);
        } else {
            out += " " + printable(value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
        }
    };
    if (json.is_object())
        for (const auto& [name, value] : json.items()) add(name + ":", value);
    if (json.is_array())
        for (const auto& value : json) add("-", value);
}

}  // namespace

Json content_of(schemas::Kind kind, BytesView payload) {
    using schemas::Kind;
    switch (kind) {
        case Kind::incident:
            return content_as<schemas::Incident>("Incident", payload);
        case Kind::load_begin:
            return content_as<schemas::LoadBegin>("LoadBegin", payload);
        case Kind::load_part:
            return content_as<schemas::LoadPart>("LoadPart", payload);
        case Kind::load_commit:
            return content_as<schemas::LoadCommit>("LoadCommit", payload);
        case Kind::load_result:
            return content_as<schemas::LoadResult>("LoadResult", payload);
        case Kind::social_care_notice:
            return content_as<schemas::SocialCareNotice>("SocialCareNotice", payload);
        case Kind::school_notice:
            return content_as<schemas::SchoolNotice>("SchoolNotice", payload);
        case Kind::review_item:
            return content_as<schemas::ReviewItem>("ReviewItem", payload);
        case Kind::review_decision:
            return content_as<schemas::ReviewDecision>("ReviewDecision", payload);
        case Kind::recall:
            return content_as<schemas::Recall>("Recall", payload);
        case Kind::markers:
            return content_as<schemas::Markers>("Markers", payload);
        case Kind::question:
            return content_as<schemas::Question>("Question", payload);
        case Kind::answer:
            return content_as<schemas::QuestionAnswer>("QuestionAnswer", payload);
        case Kind::receipt:
            return content_as<schemas::Receipt>("Receipt", payload);
        case Kind::staff_change:
            return content_as<schemas::StaffChange>("StaffChange", payload);
        default:
            return Json{
                {"bytes", payload.size()}
            };
    }
}

Json content_of(schemas::LoadOf of, BytesView item) {
    using schemas::LoadOf;
    switch (of) {
        case LoadOf::flags:
            return content_as<schemas::Flag>("Flag", item);
        case LoadOf::rolls:
            return content_as<schemas::Pupil>("Pupil", item);
        case LoadOf::schools:
            return content_as<schemas::School>("School", item);
        case LoadOf::school_links:
            return content_as<schemas::SchoolLink>("SchoolLink", item);
        case LoadOf::contacts:
            return content_as<schemas::SchoolContact>("SchoolContact", item);
        case LoadOf::bank_holidays:
            return content_as<schemas::BankHoliday>("BankHoliday", item);
        case LoadOf::terms:
            return content_as<schemas::TermPeriod>("TermPeriod", item);
        default:
            return Json::object();
    }
}

std::string in_lines(const Json& content, std::size_t indent) {
    std::string out;
    add_lines(out, content, indent);
    return out;
}

}  // namespace flagpost::auditor
