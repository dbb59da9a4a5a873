#include "adapters/school/ctf_file.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <stdexcept>

#include "adapters/client/text.h"
#include "broker/core/ids.h"

namespace flagpost::school {
namespace {

using Cells = std::map<std::string, std::string>;

std::string trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t\r\n");
    if (from == std::string_view::npos) return {};
    return std::string{text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1)};
}

std::string text_of(const pugi::xml_node& node, const char* name) { return trimmed(node.child_value(name)); }

std::string first_of(std::initializer_list<std::string> texts) {
    for (const auto& text : texts)
        if (!text.empty()) return text;
    return {};
}

std::string joined(std::initializer_list<std::string> parts) {
    std::string out;
    for (const auto& part : parts)
        if (!part.empty()) out += (out.empty() ? "" : " ") + part;
    return out;
}

/// By the parts of BS 7666: flat, house and street.
void read_parts(const pugi::xml_node& parts, Cells& cells) {
    cells["AddressLine1"] =
        joined({text_of(parts, "SAON"), text_of(parts, "PAON"), text_of(parts, "Street")});
    cells["AddressLine2"] = text_of(parts, "Locality");
    cells["Town"] = first_of({text_of(parts, "Town"), text_of(parts, "PostTown")});
    cells["UPRN"] = text_of(parts, "UniquePropertyReferenceNumber");
}

/// As lines, of which the last is the town where there are more than two.
void read_lines(const pugi::xml_node& address, const pugi::xml_node& around, Cells& cells) {
    std::vector<std::string> lines;
    for (const auto* name : {"AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "AddressLine5"})
        if (auto line = text_of(around, name); !line.empty()) lines.push_back(std::move(line));
    std::string town = first_of({text_of(address, "Town"), text_of(address, "PostTown")});
    if (town.empty() && lines.size() > 2) {
        town = std::move(lines.back());
        lines.pop_back();
    }
    cells["Town"] = std::move(town);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto& cell = cells[i == 0 ? "AddressLine1" : "AddressLine2"];
        cell += (cell.empty() ? "" : ", ") + lines[i];
    }
}

void read_address(const pugi::xml_node& pupil, Cells& cells) {
    const auto address = pupil.child("Address");
    const auto inside = [&](const char* name) { return address.child(name) ? address.child(name) : address; };
    const auto parts = inside("BS7666Address");
    const bool has_parts = parts.child("PAON") || parts.child("SAON") || parts.child("Street");
    const auto around = has_parts ? parts : inside("AddressLines");
    if (has_parts)
        read_parts(parts, cells);
    else
        read_lines(address, around, cells);
    cells["Postcode"] = first_of({text_of(address, "PostCode"), text_of(around, "PostCode")});
}

std::string read_contacts(const pugi::xml_node& pupil) {
    auto contacts = nlohmann::json::array();
    for (const auto& contact : pupil.child("Contacts").children("Contact")) {
        const auto given = joined({text_of(contact, "Forename"), text_of(contact, "MiddleNames")});
        const auto family = text_of(contact, "Surname");
        if (given.empty() && family.empty()) continue;
        contacts.push_back({
            {"given_names",    given},
            {          "family_name",          family     },
            { "relation", text_of(contact,      "Relationship")}
        });
    }
    return contacts.empty() ? std::string{} : contacts.dump();
}

Cells cells_of(const pugi::xml_node& pupil, std::uint32_t urn) {
    const auto basic = pupil.child("BasicDetails");
    Cells cells;
    cells["URN"] = std::to_string(urn);
    for (const auto* name : {"UPN", "Surname", "DOB"}) cells[name] = text_of(pupil, name);
    cells["Forename"] = joined({text_of(pupil, "Forename"), text_of(basic, "MiddleNames")});
    cells["Sex"] = first_of({text_of(pupil, "Sex"), text_of(pupil, "Gender")});
    cells["EnrolStatus"] = text_of(basic, "EnrolStatus");
    cells["Contacts"] = read_contacts(pupil);
    read_address(pupil, cells);
    return cells;
}

}  // namespace

bool is_ctf(const std::filesystem::path& file) {
    auto extension = file.extension().string();
    std::ranges::transform(extension, extension.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return extension == ".xml";
}

Result<std::vector<client::CsvRow>> ctf_rows(std::string bytes, std::uint32_t urn) {
    if (bytes.size() > ctf_file_size_max) return refuse(Reason::too_large, "file: larger than a roll can be");
    pugi::xml_document document;
    // What schools' systems write: as declared, else UTF-8; a byte that is neither is caught below.
    const auto read =
        document.load_buffer(bytes.data(), bytes.size(), pugi::parse_default | pugi::parse_doctype);
    if (!read) return refuse(Reason::malformed, "file: no XML after byte " + std::to_string(read.offset));
    for (const auto& node : document.children())
        if (node.type() == pugi::node_doctype) return refuse(Reason::malformed, "file: has a document type");
    const auto root = document.document_element();
    if (std::strcmp(root.name(), "CTfile") != 0)
        return refuse(Reason::malformed, "file: its root is not CTfile");
    const auto source = text_of(root.child("Header").child("SourceSchool"), "URN");
    if (!source.empty() && parse_urn(source) != urn)
        return refuse(
            Reason::invalid_value,
            "file: comes from another school (Header/SourceSchool/URN), and is not this one's roll");
    std::vector<client::CsvRow> rows;
    for (const auto& pupil : root.child("CTFpupilData").children("Pupil")) {
        if (rows.size() == ctf_pupils_max)
            return refuse(Reason::too_large, "file: more pupils than a roll can have");
        client::CsvRow row{rows.size() + 1, cells_of(pupil, urn)};
        for (const auto& [name, cell] : row.cells)
            if (!client::is_utf8(cell))
                return refuse(Reason::malformed, "file: is not in the encoding it declares");
        rows.push_back(std::move(row));
    }
    if (rows.empty()) return refuse(Reason::malformed, "file: no CTFpupilData/Pupil in it");
    return rows;
}

Result<std::vector<client::CsvRow>> read_ctf(const std::filesystem::path& file, std::uint32_t urn) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    if (std::filesystem::file_size(file) > ctf_file_size_max)
        return refuse(Reason::too_large, "file: larger than a roll can be");
    return ctf_rows({std::istreambuf_iterator<char>{stream}, {}}, urn);
}

}  // namespace flagpost::school
