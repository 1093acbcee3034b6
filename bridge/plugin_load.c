/* SPDX-License-Identifier: ISC */
/* Loading a plugin and its options. */

#include <dlfcn.h>
#include <string.h>

#include "bridge/place.h"
#include "bridge/plugin_private.h"
#include "bridge/schema.h"

/* NULL, or what is wrong with what the plugin says of itself. */
static const char *complain(const struct br_adapter *a, const char *name)
{
	if (a->abi != BR_ADAPTER_ABI)
		return "it was built for another version of the bridge";
	if (!a->name || strcmp(a->name, name) != 0)
		return "it has another name than its file";
	if (!a->options || !(a->options->flags & CYAML_FLAG_POINTER))
		return "its options are no schema of a struct";
	if (!a->start || !a->stop || !a->deliver)
		return "it lacks start, stop or deliver";
	return NULL;
}

/* The file stays loaded: its libraries would not survive another way. */
bool br_plugin_load(struct plugin *p, const char *name, struct br_err *err)
{
	char path[BR_PLACE_MAX];
	const char *why;
	void *file;

	if (!br_place_plugin(name, path))
		return br_err_set(err, "there cannot be a plugin %s",
		    br_yaml_show(name));
	file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!file)
		return br_err_set(err, "the plugin %s cannot be loaded: %s",
		    name, dlerror());
	p->adapter = dlsym(file, BR_ADAPTER_SYMBOL);
	why = p->adapter ? complain(p->adapter, name)
			 : "it has no " BR_ADAPTER_SYMBOL;
	if (why) {
		p->adapter = NULL;
		return br_err_set(err, "%s is no plugin for us: %s", path, why);
	}
	return true;
}

/* `why` begins with the name of the option: that is where we point. */
static bool complain_option(const struct br_yaml_source *source,
    const struct br_yaml *tree, const char *why)
{
	char *key = prim_copy(why, strcspn(why, " :,"));
	const struct br_yaml *at = br_yaml_find(tree, key);

	prim_free(key);
	return br_yaml_complain(source, at ? at : tree, "%s", why);
}

bool br_plugin_load_options(struct plugin *p, struct prim_slice text,
    struct br_err *err)
{
	const struct br_yaml_source source = { .name = "",
		.text = text,
		.err = err };
	const struct br_adapter *a = p->adapter;
	struct br_yaml *tree;
	char why[512] = "";
	bool ok;

	if (!br_schema_load(&source, a->options, &p->options, &tree))
		return false;
	ok = !a->check || a->check(p->options, why, sizeof(why));
	if (!ok)
		complain_option(&source, tree, why);
	br_yaml_free(tree);
	return ok;
}

void br_plugin_unload(struct plugin *p)
{
	if (p->adapter)
		br_schema_free(p->adapter->options, p->options);
	p->options = NULL;
}
