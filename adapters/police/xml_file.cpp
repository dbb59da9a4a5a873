#include "adapters/police/xml_file.h"

#include <algorithm>
#include <sstream>

#include "adapters/client/text.h"

namespace flagpost::police {
namespace {

/// Whether any element lies deeper than that. Without recursion: the depth is a stranger's.
bool is_deeper_than(const pugi::xml_node& root, int depth_max) {
    int depth = 0;
    pugi::xml_node node = root;
    for (;;) {
        if (node.first_child()) {
            node = node.first_child();
            if (++depth > depth_max) return true;
            continue;
        }
        while (node != root && !node.next_sibling()) {
            node = node.parent();
            --depth;
        }
        if (node == root) return false;
        node = node.next_sibling();
    }
}

bool has_document_type(const pugi::xml_document& document) {
    return std::ranges::any_of(document.children(),
                               [](const pugi::xml_node& node) { return node.type() == pugi::node_doctype; });
}

bool is_within(pugi::xml_node node, const pugi::xml_node& other) {
    while (node && node != other) node = node.parent();
    return !node.empty();
}

/// The encoding that the document declares, in lower case; empty if none.
std::string declared_encoding(std::string_view bytes) {
    const auto head = bytes.substr(0, bytes.find("?>"));
    if (!head.starts_with("<?xml") || head.size() > 200) return {};
    const auto at = head.find("encoding");
    const auto begin = at == std::string_view::npos ? at : head.find_first_of("\"'", at);
    const auto end = begin == std::string_view::npos ? begin : head.find(head[begin], begin + 1);
    if (end == std::string_view::npos) return {};
    std::string name{head.substr(begin + 1, end - begin - 1)};
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return name;
}

/// As UTF-8; nothing if it is something else than it says.
std::optional<std::string> decoded(std::string bytes) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
    const std::string encoding = declared_encoding(bytes);
    if (encoding.empty() || encoding == "utf-8" || encoding == "us-ascii") {
        if (!client::is_utf8(bytes)) return std::nullopt;
        return bytes;
    }
    if (encoding == "windows-1252" || encoding == "iso-8859-1") return client::from_windows_1252(bytes);
    return std::nullopt;
}

std::string string_of(const pugi::xpath_node& found) {
    if (found.attribute()) return found.attribute().value();
    std::string text;
    // In document order, without recursion; the depth is bounded when the document is read.
    const pugi::xml_node root = found.node();
    if (root.type() != pugi::node_element && root.type() != pugi::node_document) return root.value();
    for (pugi::xml_node node = root.first_child(); node;) {
        if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) text += node.value();
        if (node.first_child()) {
            node = node.first_child();
            continue;
        }
        while (node && node != root && !node.next_sibling()) node = node.parent();
        if (!node || node == root) break;
        node = node.next_sibling();
    }
    return text;
}

}  // namespace

std::string way_to(const pugi::xpath_node& found, const pugi::xml_node& from) {
    std::string way = found.attribute() ? std::string{"@"} + found.attribute().name() : "";
    for (pugi::xml_node at = found.attribute() ? found.parent() : found.node(); at && at != from;
         at = at.parent())
        if (at.type() == pugi::node_element)
            way = way.empty() ? at.name() : std::string{at.name()} + "/" + way;
    return way;
}

std::vector<std::string> XmlRecord::values(const Place& place) const {
    std::vector<std::string> values;
    const auto add = [&](const std::string& text) {
        if (const auto kept = client::trimmed(text); !kept.empty()) values.emplace_back(kept);
    };
    if (place.path->return_type() != pugi::xpath_type_node_set) {
        add(place.path->evaluate_string(node_));
        return values;
    }
    pugi::xpath_node_set found = place.path->evaluate_node_set(node_);
    found.sort();
    for (const pugi::xpath_node& one : found) {
        if (values.size() == xml_values_max) break;
        add(string_of(one));
        if (looked_at_ != nullptr) looked_at_->insert(way_to(one, root_));
    }
    return values;
}

std::vector<std::unique_ptr<Record>> XmlRecord::each(const Place& place) const {
    std::vector<std::unique_ptr<Record>> records;
    pugi::xpath_node_set found = place.path->evaluate_node_set(node_);
    found.sort();
    for (const pugi::xpath_node& one : found) {
        if (records.size() == xml_values_max) break;
        if (one.node())
            records.push_back(std::unique_ptr<Record>{
                new XmlRecord{one.node(), root_, looked_at_}
            });
    }
    return records;
}

Result<XmlFile> XmlFile::parse(std::string bytes, const Place& record, std::size_t records_max) {
    if (bytes.size() > xml_size_max) return refuse(Reason::too_large, "file");
    const auto text = decoded(std::move(bytes));
    if (!text)
        return refuse(Reason::malformed, "file: not in the encoding that it declares, or one not read here");
    if (text->find('\0') != std::string::npos) return refuse(Reason::malformed, "file: not text");
    XmlFile file;
    const auto parsed = file.document_->load_buffer(
        text->data(), text->size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
    const auto line_at = [&](std::ptrdiff_t offset) {
        const auto end = std::clamp<std::ptrdiff_t>(offset, 0, static_cast<std::ptrdiff_t>(text->size()));
        return static_cast<std::uint64_t>(std::count(text->begin(), text->begin() + end, '\n') + 1);
    };
    if (!parsed)
        return refuse(Reason::malformed,
                      "file: line " + std::to_string(line_at(parsed.offset)) + ": " + parsed.description());
    if (has_document_type(*file.document_))
        return refuse(Reason::malformed, "file: has a document type declaration");
    if (is_deeper_than(*file.document_, xml_depth_max)) return refuse(Reason::too_large, "file: depth");
    pugi::xpath_node_set found = record.path->evaluate_node_set(*file.document_);
    if (found.size() > records_max) return refuse(Reason::too_large, "file: records");
    found.sort();
    std::uint64_t line = 1;
    std::ptrdiff_t counted = 0;
    for (const pugi::xpath_node& one : found) {
        if (one.node().type() != pugi::node_element) continue;
        if (!file.records_.empty() && is_within(one.node(), file.records_.back()))
            return refuse(Reason::malformed, "file: records within records");
        const auto offset = std::clamp<std::ptrdiff_t>(one.node().offset_debug(), counted,
                                                       static_cast<std::ptrdiff_t>(text->size()));
        line += static_cast<std::uint64_t>(std::count(text->begin() + counted, text->begin() + offset, '\n'));
        counted = offset;
        file.records_.push_back(one.node());
        file.lines_.push_back(line);
    }
    if (file.records_.empty()) return refuse(Reason::malformed, "file: nothing at " + record.text);
    return file;
}

std::string XmlFile::text_of(std::size_t record) const {
    std::ostringstream out;
    records_[record].print(out, "", pugi::format_raw);
    return out.str();
}

std::string XmlFile::only(const std::set<std::size_t>& records) && {
    for (std::size_t i = 0; i < records_.size(); ++i)
        if (!records.contains(i)) records_[i].parent().remove_child(records_[i]);
    std::ostringstream out;
    document_->save(out, "", pugi::format_raw, pugi::encoding_utf8);
    return out.str();
}

}  // namespace flagpost::police
