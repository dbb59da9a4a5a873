/// A foreign XML document: bounded, without document types, so without entities of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <pugixml.hpp>
#include <string>

#include "broker/core/result.h"

namespace flagpost::desk {

inline constexpr std::size_t xml_size_max =
    8 * 1024 * 1024;  // bytes; a document takes up to 20 times that in memory
inline constexpr int xml_depth_max = 64;

class XmlDocument {
public:
    /// UTF-8, or Windows-1252 and ISO 8859-1 where it declares so. Refuses what is not well-formed, longer than `size_max`
    /// bytes, too deep, or has a document type declaration.
    static Result<XmlDocument> parse(std::string bytes, std::size_t size_max = xml_size_max);

    pugi::xml_document& root() { return *document_; }
    const pugi::xml_document& root() const { return *document_; }
    /// Where an element begins, from 1. Quick if asked in document order.
    std::uint64_t line_of(const pugi::xml_node& node);

private:
    XmlDocument() : document_{std::make_unique<pugi::xml_document>()} {}
    std::unique_ptr<pugi::xml_document> document_;
    std::string text_;
    std::ptrdiff_t counted_ = 0;  // up to here line_ is counted
    std::uint64_t line_ = 1;
};

}  // namespace flagpost::desk
