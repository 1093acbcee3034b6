/* SPDX-License-Identifier: ISC */
/* subscription list: who watches whom, page by page. */

#include <string.h>

#include "bridge/control_job.h"
#include "bridge/store.h"
#include "prim/base.h"

#define PAGE 500

struct page {
	struct br_control_job *job; /* owned until it ends */
	json_t *subscriptions;      /* owned until it ends */
	struct prim_key of;         /* empty: all */
	bool is_first;
	bool has_more;
	int64_t now_ms;
	struct prim_buf mark; /* owned: where the next page begins */
};

/* Where a page begins, as the one before told it: the three names of its last
 * subscription, escaped, with a blank between. */
struct mark {
	struct br_store_subscription sub; /* its names, in `text` */
	struct prim_buf text;             /* owned */
};

/* ---- marks ---- */

static void mark_put(struct prim_buf *b,
    const struct br_store_subscription *sub)
{
	prim_buf_reset(b);
	prim_address_escape(b, sub->watcher);
	prim_buf_putc(b, ' ');
	prim_address_escape(b, sub->presentity);
	prim_buf_putc(b, ' ');
	prim_address_escape(b, sub->id);
}

static bool name_parse(struct prim_buf *b, struct prim_slice *mark,
    size_t *out_len)
{
	size_t before = b->len;

	if (!prim_address_unescape(b, prim_slice_cut(mark, ' ')))
		return false;
	*out_len = b->len - before;
	return true;
}

/* False: none of ours. Release `out->text` in any case. */
static bool mark_parse(struct prim_slice mark, struct mark *out)
{
	size_t lens[3];
	const char *at;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < PRIM_COUNT(lens); i++)
		if (!name_parse(&out->text, &mark, &lens[i]))
			return false;
	if (lens[0] == 0 || lens[1] == 0)
		return false;
	at = out->text.ptr;
	out->sub.watcher = prim_slice_make(at, lens[0]);
	out->sub.presentity = prim_slice_make(at + lens[0], lens[1]);
	out->sub.id = prim_slice_make(at + lens[0] + lens[1], lens[2]);
	return true;
}

/* ---- a page ---- */

static json_t *subscription_json(const struct page *p,
    const struct br_store_subscription *sub)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "watcher",
	    br_control_text_json(sub->watcher_address), "presentity",
	    br_control_text_json(sub->presentity_address), "direction",
	    sub->is_outgoing ? "outgoing" : "incoming", "id",
	    br_control_text_json(sub->id), "ends",
	    br_control_time_json(sub->expires_ms), "ends_in_s",
	    br_control_left_json(sub->expires_ms, p->now_ms));
}

static void page_end(struct page *p, bool failed)
{
	json_t *result;

	if (failed) {
		json_decref(p->subscriptions);
		br_control_job_fail_read(p->job);
	} else {
		result = json_pack("{s:o, s:b}", "subscriptions",
		    p->subscriptions, "first", p->is_first);
		if (p->has_more)
			json_object_set_new(result, "after",
			    br_control_text_json(prim_buf_slice(&p->mark)));
		if (p->is_first && json_array_size(p->subscriptions) == 0)
			br_control_job_take_result_of(p->job, &p->of, result);
		else
			br_control_job_take_result(p->job, result);
	}
	prim_buf_fini(&p->mark);
	prim_free(p);
}

/* One more than a page is asked for: is there a next one? */
static void on_subscription(void *arg, const struct br_store_subscription *sub,
    bool failed)
{
	struct page *p = arg;

	if (!sub) {
		page_end(p, failed);
		return;
	}
	p->has_more = json_array_size(p->subscriptions) == PAGE;
	if (p->has_more)
		return;
	json_array_append_new(p->subscriptions, subscription_json(p, sub));
	mark_put(&p->mark, sub);
}

static void page_ask(struct br_control_job *job, const struct prim_key *key,
    const struct br_store_subscription *after)
{
	const struct br_store_subscription_range range = {
		.key = prim_key_slice(key),
		.after = after,
		.max = PAGE + 1,
	};
	struct page *p = prim_new(struct page);

	p->job = job;
	p->subscriptions = json_array();
	p->of = *key;
	p->is_first = !after;
	p->now_ms = br_control_now(&p->job->c);
	br_store_subscription_page(job->c.store, &range, on_subscription, p);
}

static struct prim_slice member(const json_t *request, const char *name)
{
	return prim_slice_of(json_string_value(json_object_get(request, name)));
}

void br_control_subscription_list(struct br_control_job *job,
    const json_t *request)
{
	struct prim_slice after = member(request, "after");
	struct prim_address address;
	struct prim_key key = { 0 };
	struct mark mark = { 0 };

	if (member(request, "address").len > 0) {
		if (!br_control_job_address(job, request, &address))
			return;
		prim_address_key(&address, &key);
	}
	if (after.len > 0 && !mark_parse(after, &mark))
		br_control_job_fail(job,
		    "\"after\" is not what the page before said");
	else
		page_ask(job, &key, after.len > 0 ? &mark.sub : NULL);
	prim_buf_fini(&mark.text);
}
