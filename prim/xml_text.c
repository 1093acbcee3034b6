/* SPDX-License-Identifier: ISC */
/* Text for XML, and what may be text and names in it. */

#include "prim/base.h"
#include "prim/octet.h"
#include "prim/utf8.h"
#include "prim/xml.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct prim_slice prim_xml_trim(struct prim_slice s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = prim_slice_from(s, 1);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool prim_xml_text_ok(struct prim_slice text)
{
	uint32_t c;

	while (prim_utf8_next(&text, &c)) {
		if ((c < 0x20 && !is_blank((char)c)) || c == 0xfffe ||
		    c == 0xffff)
			return false;
	}
	return text.len == 0;
}

/*
 * Names (XML 1.0, fifth edition, without the colon).
 */

struct range {
	uint32_t first, last;
};

static const struct range STARTS[] = {
	{'A',      'Z'    },
        { '_',     '_'    },
        { 'a',     'z'    },
        { 0xc0,    0xd6   },
	{ 0xd8,    0xf6   },
        { 0xf8,    0x2ff  },
        { 0x370,   0x37d  },
        { 0x37f,   0x1fff },
	{ 0x200c,  0x200d },
        { 0x2070,  0x218f },
        { 0x2c00,  0x2fef },
	{ 0x3001,  0xd7ff },
        { 0xf900,  0xfdcf },
        { 0xfdf0,  0xfffd },
	{ 0x10000, 0xeffff}
};

static const struct range FOLLOWS[] = {
	{'-',     '.'   },
	{ '0',    '9'   },
	{ 0xb7,   0xb7  },
	{ 0x300,  0x36f },
	{ 0x203f, 0x2040},
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

bool prim_xml_ncname_ok(struct prim_slice s)
{
	bool is_first = true;
	uint32_t c;

	if (s.len == 0)
		return false;
	for (; prim_utf8_next(&s, &c); is_first = false) {
		if (!in_ranges(STARTS, PRIM_COUNT(STARTS), c) &&
		    (is_first || !in_ranges(FOLLOWS, PRIM_COUNT(FOLLOWS), c)))
			return false;
	}
	return s.len == 0;
}

/*
 * Writing. What a reader would change on its way in (line ends, and in values
 * all blanks) goes as a reference.
 */

static const char *escape_of(char c, bool in_value)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '"':
		return in_value ? "&quot;" : NULL;
	case '\t':
		return in_value ? "&#9;" : NULL;
	case '\n':
		return in_value ? "&#10;" : NULL;
	default:
		return NULL;
	}
}

static void put_escaped(struct prim_buf *b, struct prim_slice text,
    bool in_value)
{
	size_t from = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *escape = escape_of(text.ptr[i], in_value);

		if (!escape)
			continue;
		prim_buf_put(b, prim_slice_make(text.ptr + from, i - from));
		prim_buf_puts(b, escape);
		from = i + 1;
	}
	prim_buf_put(b, prim_slice_from(text, from));
}

void prim_xml_put_text(struct prim_buf *b, struct prim_slice text)
{
	put_escaped(b, text, false);
}

void prim_xml_put_attribute(struct prim_buf *b, const char *name,
    struct prim_slice value)
{
	prim_buf_putc(b, ' ');
	prim_buf_puts(b, name);
	prim_buf_put(b, PRIM_SLICE("=\""));
	put_escaped(b, value, true);
	prim_buf_putc(b, '"');
}

void prim_xml_put_element(struct prim_buf *b, const char *name,
    struct prim_slice text)
{
	prim_buf_putc(b, '<');
	prim_buf_puts(b, name);
	if (text.len == 0) {
		prim_buf_put(b, PRIM_SLICE("/>"));
		return;
	}
	prim_buf_putc(b, '>');
	prim_xml_put_text(b, text);
	prim_buf_put(b, PRIM_SLICE("</"));
	prim_buf_puts(b, name);
	prim_buf_putc(b, '>');
}
