#include "adapters/social_care/flag_file.h"

#include <algorithm>

#include "adapters/client/not_text.h"
#include "adapters/client/text.h"
#include "adapters/social_care/cin_census.h"
#include "adapters/social_care/csc_api.h"
#include "adapters/social_care/flag_rows.h"

namespace flagpost::social_care {
namespace {

constexpr std::string_view mark = "\xEF\xBB\xBF";

FlagFormat format_of(std::string_view bytes) {
    if (bytes.starts_with(mark)) bytes.remove_prefix(mark.size());
    const auto first = client::trimmed(bytes.substr(0, 4096));
    if (first.starts_with('<')) return FlagFormat::cin_census;
    if (first.starts_with('{') || first.starts_with('[')) return FlagFormat::csc_api;
    return FlagFormat::csv;
}

Result<FlagFile> read_csv(const std::string& bytes, const FlagSource& source) {
    auto prepared = desk::prepare_text(
        bytes, required_columns(), [&](const client::CsvRow& row, desk::Findings& findings) {
            const auto flag = read_flag(row, source.la, findings);
            if (!findings.usable()) return desk::RowRecord{};
            return desk::RowRecord{wire::pack<schemas::Flag>(flag), flag.la_child_id};
        });
    if (!prepared) return tl::unexpected{prepared.error()};
    return FlagFile{FlagFormat::csv, !client::is_utf8(bytes), 0, std::move(*prepared)};
}

Result<FlagFile> read_json(std::string bytes, const FlagSource& source) {
    if (bytes.size() > flag_json_size_max) return refuse(Reason::too_large, "file");
    if (!client::is_utf8(bytes))
        return refuse(Reason::malformed, "file: JSON has to be UTF-8, and this is not");
    if (bytes.starts_with(mark)) bytes.erase(0, mark.size());
    return read_csc_api(bytes, source);
}

}  // namespace

Result<FlagFile> read_flag_file(std::string bytes, const FlagSource& source) {
    const auto format = source.format.value_or(format_of(bytes));
    const auto why = client::fault_in_text(bytes);
    if (!why.empty() && format != FlagFormat::cin_census)  // XML may be in UTF-16, where it says so
        return refuse(Reason::malformed, "file: " + why);
    switch (format) {
        case FlagFormat::csc_api:
            return read_json(std::move(bytes), source);
        case FlagFormat::cin_census:
            return read_cin_census(std::move(bytes), source);
        case FlagFormat::csv:
            break;
    }
    if (source.details != nullptr)
        return refuse(Reason::malformed, "details: a CSV list of flags carries them itself");
    return read_csv(bytes, source);
}

std::uint64_t FlagFile::count() const {
    const auto rejected =
        std::ranges::count_if(prepared.rejects, [](const auto& reject) { return !reject.used; });
    return prepared.records.size() + static_cast<std::uint64_t>(rejected) + without_flag;
}

std::string in_words(FlagFormat format) {
    if (format == FlagFormat::csc_api) return "CSC API";
    return format == FlagFormat::cin_census ? "CIN census" : "CSV";
}

}  // namespace flagpost::social_care
