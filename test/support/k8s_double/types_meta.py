"""Metadata, and the small kinds of the core group and of coordination."""

META = """
ObjectMeta: name:str generateName:str namespace:str uid:str resourceVersion:str generation:int selfLink:str
  creationTimestamp:time deletionTimestamp:time deletionGracePeriodSeconds:int labels:map<str> annotations:map<str>
  ownerReferences:keyed<OwnerReference;uid> finalizers:set<str> managedFields:raw
OwnerReference: apiVersion:text! kind:text! name:text! uid:text! controller:bool blockOwnerDeletion:bool
LabelSelector: matchLabels:map<str> matchExpressions:list<LabelRequirement>
LabelRequirement: key:text! operator:str{In|NotIn|Exists|DoesNotExist}! values:list<str>
LocalObjectReference: name:name
ObjectReference: apiVersion:str kind:str name:str namespace:str uid:str resourceVersion:str fieldPath:str
Condition: type:text! status:str{True|False|Unknown}! reason:str message:str lastTransitionTime:time lastUpdateTime:time
  lastProbeTime:time observedGeneration:int
Empty:  
"""

CORE = """
Namespace: metadata:ObjectMeta spec:NamespaceSpec status:raw
NamespaceSpec: finalizers:list<str>
ConfigMap: metadata:ObjectMeta data:map<str> binaryData:map<str> immutable:bool
Secret: metadata:ObjectMeta type:str data:map<str> stringData:map<str> immutable:bool
ServiceAccount: metadata:ObjectMeta automountServiceAccountToken:bool imagePullSecrets:list<LocalObjectReference>
  secrets:keyed<ObjectReference;name>
Service: metadata:ObjectMeta spec:ServiceSpec! status:raw
ServiceSpec: type:str{ClusterIP|NodePort|LoadBalancer|ExternalName} selector:map<labelvalue>@ clusterIP:str
  clusterIPs:list<str> ports:keyed<ServicePort;port,protocol> sessionAffinity:str{None|ClientIP}
  publishNotReadyAddresses:bool ipFamilies:list<str> ipFamilyPolicy:str{SingleStack|PreferDualStack|RequireDualStack}
  internalTrafficPolicy:str{Cluster|Local} externalTrafficPolicy:str{Cluster|Local}
  loadBalancerSourceRanges:list<cidr> externalName:str trafficDistribution:str
ServicePort: name:dnslabel port:port! targetPort:portref protocol:str{TCP|UDP|SCTP} nodePort:port appProtocol:str
Event: metadata:ObjectMeta! involvedObject:ObjectReference! reason:str message:str source:EventSource
  firstTimestamp:time lastTimestamp:time count:int type:str{Normal|Warning} eventTime:microtime action:str
  reportingComponent:str reportingInstance:str related:ObjectReference series:EventSeries
EventSource: component:str host:str
EventSeries: count:int lastObservedTime:microtime
Lease: metadata:ObjectMeta spec:LeaseSpec
LeaseSpec: holderIdentity:str leaseDurationSeconds:int[1..] acquireTime:microtime renewTime:microtime
  leaseTransitions:int[0..] strategy:str preferredHolder:str
Scale: metadata:ObjectMeta spec:ScaleSpec status:raw
ScaleSpec: replicas:int[0..]
"""
