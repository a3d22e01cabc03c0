# What the supervisor reads of others: kubeconfig files, watches, objects in lists.
maintner_fuzzer(kubeconfig fuzz_kubeconfig.c LINK sprvsr_core)
maintner_fuzzer(k8s_watch fuzz_k8s_watch.c LINK sprvsr_core)
maintner_fuzzer(k8s_object fuzz_k8s_object.c LINK sprvsr_core)
