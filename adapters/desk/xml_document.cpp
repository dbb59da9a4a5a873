#include "adapters/desk/xml_document.h"

#include <algorithm>

#include "adapters/client/text.h"

namespace flagpost::desk {
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

/// Makes it UTF-8; false if it is something else than it says.
bool decode(std::string& bytes) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
    const std::string encoding = declared_encoding(bytes);
    if (encoding.empty() || encoding == "utf-8" || encoding == "us-ascii") return client::is_utf8(bytes);
    if (encoding != "windows-1252" && encoding != "iso-8859-1") return false;
    bytes = client::from_windows_1252(bytes);
    return true;
}

}  // namespace

Result<XmlDocument> XmlDocument::parse(std::string bytes, std::size_t size_max) {
    if (bytes.size() > size_max) return refuse(Reason::too_large, "file");
    if (!decode(bytes))
        return refuse(Reason::malformed, "file: not in the encoding that it declares, or one not read here");
    if (bytes.find('\0') != std::string::npos) return refuse(Reason::malformed, "file: not text");
    XmlDocument file;
    file.text_ = std::move(bytes);
    const auto parsed = file.document_->load_buffer(
        file.text_.data(), file.text_.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
    if (!parsed) {
        const auto end =
            std::clamp<std::ptrdiff_t>(parsed.offset, 0, static_cast<std::ptrdiff_t>(file.text_.size()));
        const auto line = std::count(file.text_.begin(), file.text_.begin() + end, '\n') + 1;
        return refuse(Reason::malformed, "file: line " + std::to_string(line) + ": " + parsed.description());
    }
    if (has_document_type(*file.document_))
        return refuse(Reason::malformed, "file: has a document type declaration");
    if (is_deeper_than(*file.document_, xml_depth_max)) return refuse(Reason::too_large, "file: depth");
    return file;
}

std::uint64_t XmlDocument::line_of(const pugi::xml_node& node) {
    const auto offset =
        std::clamp<std::ptrdiff_t>(node.offset_debug(), 0, static_cast<std::ptrdiff_t>(text_.size()));
    if (offset < counted_) {
        counted_ = 0;
        line_ = 1;
    }
    line_ += static_cast<std::uint64_t>(std::count(text_.begin() + counted_, text_.begin() + offset, '\n'));
    counted_ = offset;
    return line_;
}

}  // namespace flagpost::desk
