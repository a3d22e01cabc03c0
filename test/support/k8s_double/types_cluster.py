"""Access, network, scaling and monitoring: what the manifests use."""

CLUSTER = """
Role: metadata:ObjectMeta rules:list<PolicyRule>
ClusterRole: metadata:ObjectMeta rules:list<PolicyRule> aggregationRule:raw
PolicyRule: apiGroups:list<str> resources:list<str> verbs:list<str>! resourceNames:list<str> nonResourceURLs:list<str>
RoleBinding: metadata:ObjectMeta subjects:list<Subject> roleRef:RoleRef!
ClusterRoleBinding: metadata:ObjectMeta subjects:list<Subject> roleRef:RoleRef!
Subject: kind:str{ServiceAccount|User|Group}! name:text! namespace:dnslabel apiGroup:str
RoleRef: apiGroup:text! kind:str{Role|ClusterRole}! name:text!
Ingress: metadata:ObjectMeta spec:IngressSpec status:raw
IngressSpec: ingressClassName:name defaultBackend:IngressBackend tls:list<IngressTLS> rules:list<IngressRule>
IngressTLS: hosts:list<str> secretName:name
IngressRule: host:str http:IngressHTTP
IngressHTTP: paths:list<IngressPath>!
IngressPath: path:path pathType:str{Exact|Prefix|ImplementationSpecific}! backend:IngressBackend!
IngressBackend: service:IngressService resource:raw
IngressService: name:service! port:IngressPort
IngressPort: name:portname number:port
NetworkPolicy: metadata:ObjectMeta spec:NetworkPolicySpec!
NetworkPolicySpec: podSelector:LabelSelector@ policyTypes:list<str{Ingress|Egress}> ingress:list<PolicyIngress>
  egress:list<PolicyEgress>
PolicyIngress: from:list<PolicyPeer> ports:list<PolicyPort>
PolicyEgress: to:list<PolicyPeer> ports:list<PolicyPort>
PolicyPeer: podSelector:LabelSelector@ namespaceSelector:LabelSelector@ ipBlock:IPBlock
IPBlock: cidr:cidr! except:list<cidr>
PolicyPort: port:portref endPort:port protocol:str{TCP|UDP|SCTP}
HorizontalPodAutoscaler: metadata:ObjectMeta spec:HPASpec! status:raw
HPASpec: scaleTargetRef:CrossReference! minReplicas:int[1..] maxReplicas:int[1..]! metrics:list<Metric> behavior:raw
CrossReference: apiVersion:str kind:text! name:text!
Metric: type:str{Resource|ContainerResource|Pods|Object|External}! resource:ResourceMetric
  containerResource:ContainerResourceMetric pods:raw object:raw external:raw
ResourceMetric: name:text! target:MetricTarget!
ContainerResourceMetric: name:text! container:text! target:MetricTarget!
MetricTarget: type:str{Utilization|Value|AverageValue}! averageUtilization:int[1..] value:qty averageValue:qty
PodDisruptionBudget: metadata:ObjectMeta spec:PDBSpec! status:raw
PDBSpec: minAvailable:percent maxUnavailable:percent selector:LabelSelector@
  unhealthyPodEvictionPolicy:str{IfHealthyBudget|AlwaysAllow}
ServiceMonitor: metadata:ObjectMeta spec:MonitorSpec!
MonitorSpec: selector:LabelSelector@! namespaceSelector:NamespaceNames endpoints:list<MonitorEndpoint>! jobLabel:str
  targetLabels:list<str> podTargetLabels:list<str> sampleLimit:int[0..]
NamespaceNames: any:bool matchNames:list<str>
MonitorEndpoint: port:str targetPort:portref path:str scheme:str{http|https} interval:str scrapeTimeout:str
  honorLabels:bool relabelings:raw metricRelabelings:raw
PodMonitor: metadata:ObjectMeta spec:PodMonitorSpec!
PodMonitorSpec: selector:LabelSelector@! namespaceSelector:NamespaceNames podMetricsEndpoints:list<MonitorEndpoint>!
  jobLabel:str podTargetLabels:list<str>
"""
